# Builds the wheel, installs it into a fresh environment and uses it from a folder that knows nothing of the checkout.
# usage: wheel.sh PYTHON (one that has hatchling and lark)
set -eu
python=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp -R "$root/compiler" "$root/plugins" "$root/pyproject.toml" "$root/hatch_build.py" "$root/README.md" "$root/LICENSE" "$work"
(cd "$work" && "$python" -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir "$work/wheel" . ./plugins/netc-*)
mkdir "$work/tests"
for plugin in "$work"/plugins/netc-*; do
    mkdir "$work/tests/$(basename "$plugin")"
    cp -R "$plugin/tests" "$plugin/README.md" "$work/tests/$(basename "$plugin")"
done
rm -rf "$work/compiler" "$work/plugins"

"$python" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --constraint "$root/constraints.txt" \
    "$work"/wheel/netc-*.whl "$work"/wheel/netc_*-*.whl hatchling pytest ruff
mkdir "$work/use"
cp "$root/specs/googlenet.net" "$work/use"
cd "$work/use"
netc=$work/venv/bin/netc
"$netc" --version
"$netc" check googlenet.net
"$netc" build googlenet.net
"$netc" layers Conv > /dev/null
"$netc" layers StochasticDepth > /dev/null
"$netc" layers GroupedQueryAttention > /dev/null
"$netc" plugins > plugins.txt
for plugin in "$work"/tests/netc-*; do
    grep -q "^$(basename "$plugin") " plugins.txt
    (cd "$plugin" && "$work/venv/bin/python" -m pytest -q -p no:cacheprovider -W ignore tests)
done
"$netc" new plugin netc-fresh
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation ./netc-fresh
"$netc" layers Fresh > /dev/null
"$work/venv/bin/python" -m pytest -q -p no:cacheprovider -W ignore netc-fresh
"$work/venv/bin/python" - <<'PYTHON'
import netc, torch

model = netc.load("googlenet.net")
assert model(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
assert "site-packages" in netc.__file__, netc.__file__
PYTHON
echo "the wheel works with the checkout gone"
