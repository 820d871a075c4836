# Builds the wheel, installs it into a fresh environment and uses it from a folder that knows nothing of the checkout.
# usage: wheel.sh PYTHON (one that has hatchling and lark)
set -eu
python=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp -R "$root/compiler" "$root/plugins" "$root/pyproject.toml" "$root/hatch_build.py" "$root/README.md" "$root/LICENSE" "$work"
(cd "$work" && "$python" -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir "$work/wheel" . ./plugins/netc-*)
rm -rf "$work/compiler" "$work/plugins"

"$python" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --constraint "$root/constraints.txt" \
    "$work"/wheel/netc-*.whl "$work"/wheel/netc_*-*.whl
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
"$netc" plugins > /dev/null
"$work/venv/bin/python" - <<'PYTHON'
import netc, torch

model = netc.load("googlenet.net")
assert model(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
assert "site-packages" in netc.__file__, netc.__file__
PYTHON
echo "the wheel works with the checkout gone"
