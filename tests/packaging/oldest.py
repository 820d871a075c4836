"""Prints the oldest end of every range in pyproject.toml as a pip constraint."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text())["project"]
extras = project["optional-dependencies"]
for requirement in [*project["dependencies"], *extras["digits"], *extras["plot"]]:
    print(re.sub(r",.*", "", requirement.replace(">=", "==")))
