#!/usr/bin/env bash
# Makes benches/.venv with the Python packages that peers.py compares against.
# PYTHON names the interpreter to use (3.11 or newer; default python3).
# Running it again is cheap: packages already there are kept.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "setup-peers.sh: Python 3.11 or newer is needed; set PYTHON to one" >&2
    exit 1
fi

torch=(torch==2.15.0)
# What torch itself needs, on every platform.
torch_needs=(
    filelock==4.2.11 fsspec==2026.9.0 Jinja2==3.1.6 MarkupSafe==3.0.4
    mpmath==1.3.0 networkx==3.6.1 setuptools==84.2.1 sympy==1.14.0
    typing_extensions==4.16.0
)
# The Linux x86-64 wheel of torch is a CUDA build. It links against these
# libraries when it is imported, on a machine without a GPU too. What it loads
# only later or not at all on a CPU (triton, cuda-bindings, cuSOLVER, NVTX) is
# left out, which saves more than a gigabyte.
cuda_libraries=(
    nvidia-cublas==13.4.1.3 nvidia-cuda-cupti==13.2.86
    nvidia-cuda-nvrtc==13.2.86 nvidia-cuda-runtime==13.2.86
    nvidia-cudnn-cu13==9.26.0.51 nvidia-cufft==12.2.0.57
    nvidia-cufile==1.17.1.22 nvidia-cusparse==12.7.10.12
    nvidia-cusparselt-cu13==0.8.1 nvidia-nccl-cu13==2.30.7
    nvidia-nvjitlink==13.5.37 nvidia-nvshmem-cu13==3.7.2
)
peers=(
    numpy==2.4.6 scipy==1.17.1 pytorch_optimizer==4.1.0
    adabelief-pytorch==0.2.1 colorama==0.4.6 tabulate==0.10.0
)

[ -x .venv/bin/python ] || "$python" -m venv .venv
pip=(.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps)

"${pip[@]}" "${torch_needs[@]}" "${peers[@]}"
# A torch of this version that already works, such as a CPU-only build put
# there by hand, is kept.
works="import sys, torch; sys.exit(torch.__version__.split('+')[0] != '${torch[0]#*==}')"
if ! .venv/bin/python -c "$works" 2>/dev/null; then
    if [ "$(uname -sm)" = "Linux x86_64" ]; then
        "${pip[@]}" "${torch[@]}" "${cuda_libraries[@]}"
    else
        .venv/bin/python -m pip install --quiet --disable-pip-version-check "${torch[@]}"
    fi
fi

.venv/bin/python - <<'PY'
import adabelief_pytorch, numpy, pytorch_optimizer, scipy, torch
print(f"ready: torch {torch.__version__}, numpy {numpy.__version__}, "
      f"scipy {scipy.__version__}")
PY
