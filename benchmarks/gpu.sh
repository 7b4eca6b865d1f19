#!/usr/bin/env bash
# Everything that is measured on a GPU, in one go and one table: benchmarks/gpu.sh [--minutes 9] > gpu.txt
#
# Installs nothing that is there and fetches nothing. What is missing is taken from the folder of wheels that WHEELS
# names (docs/gpu.md says which), without touching torch.
set -euo pipefail
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-python3}
"$PYTHON" -c 'import torch' || { echo "gpu.sh: $PYTHON has no torch; name another by PYTHON=" >&2; exit 2; }
"$PYTHON" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' || echo "gpu.sh: no GPU: figures are those of the CPU" >&2

# module:package; pytorch-lightning brings lightning_fabric, too.
for pair in lightning_fabric:lightning-fabric safetensors:safetensors tqdm:tqdm tensorboard:tensorboard \
            cv2:opencv-python-headless PIL:pillow scipy:scipy skimage:scikit-image; do
    module=${pair%%:*} package=${pair##*:}
    "$PYTHON" -c "import $module" 2> /dev/null && continue
    [ -n "${WHEELS:-}" ] || { echo "gpu.sh: no $module; put a wheel of $package into a folder and name it by WHEELS=" >&2; exit 2; }
    "$PYTHON" -m pip install --quiet --no-index --find-links "$WHEELS" --no-deps "$package"
done

PYTHONPATH=. exec "$PYTHON" benchmarks/gpu.py "$@"
