#!/usr/bin/env bash
# A pipeline in plain shell, for any service: make the host, build a wheel against it, test the wheel in the host.
# Run it in the project's folder.
#
#   PYTHON              the Python that the wheel is for (default: python3)
#   HOST_REQUIREMENTS   what the host has (default: numpy)
#   TOOL_PACKAGE        where passbuild comes from: what pip installs, such as a folder, a wheel or a URL
set -euo pipefail

work=${WORK:-$PWD/.pipeline}
mkdir -p "$work"

"${PYTHON:-python3}" -m venv "$work/host"
# shellcheck disable=SC2086 # several requirements
"$work/host/bin/python" -m pip install --quiet ${HOST_REQUIREMENTS:-numpy}

"${PYTHON:-python3}" -m venv "$work/tool"
"$work/tool/bin/python" -m pip install --quiet "$TOOL_PACKAGE"

# What does not fit is found before anything is compiled.
"$work/tool/bin/passbuild" doctor . --host "$work/host"
"$work/tool/bin/passbuild" plan . --host "$work/host" --on-missing error

wheel=$("$work/tool/bin/passbuild" wheel . --host "$work/host" --on-missing error --outdir "$work/dist" \
  --report "$work/report.json")

"$work/host/bin/python" -m pip install --quiet --no-deps "$wheel"
(cd "$work" && "$work/host/bin/python" -c "${CHECK:-import array_ops; print(array_ops.total([1, 2, 3]))}")
echo "$wheel"
