"""The codes of what is wrong beyond the syntax, each with its meaning in a line; those of the syntax are in `parse`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CODES: Mapping[str, str] = MappingProxyType(
    {
        "E0201": "the file is written in a version of the language that this netc does not know",
        "E0202": "a file that `use` names cannot be read",
        "E0203": "a distribution that the spec needs is not installed",
        "E0204": "no net or recipe of that name, or none at all, or several to choose from",
        "E0206": "a value given by `--set` that cannot be read",
        "E0301": "a layer or block that is not known",
        "E0302": "a name that is not known: a value, a label, a size, an initialiser",
        "E0303": "nothing flows here, or `x` could be several inputs",
        "E0304": "a size that the value does not have",
        "E0401": "an argument that is missing, unknown or one too many",
        "E0402": "a value of the wrong kind for its place",
        "E0403": "something is named, defined or given twice",
        "E0404": "a value out of its range",
        "E0405": "something must be decided about a size that only a run decides",
        "E0406": "a function or a chain stands where a module is needed",
        "E0407": "a layer with parameters and without a label",
        "E0408": "a name or label that has a meaning of its own",
        "E0409": "a statement that cannot stand here",
        "E0410": "the names are more or fewer than the values",
        "E0510": "a setting that recipes do not have",
        "E0511": "a setting that a recipe lacks",
        "E0512": "a setting that is given twice",
        "E0513": "a setting with a value of the wrong kind",
        "E0514": "a data source, loss, optimizer or schedule that is not known",
        "E0515": "an argument of a setting that is missing, unknown, or wrong",
        "E0516": "a recipe that does not fit its network",
        "E0517": "a group of parameters that selects nothing or stands where none can",
        "E0518": "schedules that do not follow one another",
        "E0519": "a `--set train. ...` that changes nothing of the recipe",
        "E0601": "a layer cannot take what reaches it",
        "E0602": "parameters used again for other shapes",
        "E0603": "several values where one is needed",
        "E0604": "values that cannot be joined",
        "E0605": "an `init` rule about a parameter that its layers do not have",
        "E0606": "a symbolic size that no number fits",
        "E0607": "a layer that fits only batches of some sizes",
        "E0801": "a limit of the compiler: depth, digits, entries, repeats",
        "E0802": "something that is defined by itself",
        "E0803": "a tensor that no machine holds",
        "E0901": "a network that cannot be written as PyTorch classes",
        "W0701": "a parameter that is never used",
        "W0702": "a value that is never read",
        "W0703": "a statement that cannot be reached",
        "W0704": "a net that gives back what it takes",
        "W0705": "a layer that is likely not meant for what reaches it",
        "W0706": "an `init` rule that sets nothing",
        "W0707": "a recipe that runs and is likely not meant",
        "W0708": "a network that breaks a rule of its project",
        "W0709": "a value that the flow leaves behind unread",
    }
)

WARNINGS: Mapping[str, str] = MappingProxyType(
    {
        "unused-parameter": "W0701",
        "unused-value": "W0702",
        "unreachable-statement": "W0703",
        "empty-net": "W0704",
        "doubtful-layer": "W0705",
        "idle-init-rule": "W0706",
        "doubtful-recipe": "W0707",
        "project-rule": "W0708",
        "dropped-value": "W0709",
    }
)
"""The codes of the warnings by their names; `--deny` and `--allow` take either."""
