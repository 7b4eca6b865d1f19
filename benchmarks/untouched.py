"""What a clip loses on its way through `render` where nothing is translated: PSNR of the decoder's planes, in dB.

    python -m benchmarks.untouched CLIPS/faces/grid_bbaf2n.mpg [more ...]

Every frame is written to MP4 at the default quality; luma, and the worse of the two chroma planes, over all frames.
"""

import argparse
import tempfile
from pathlib import Path

import av
import numpy as np

from data.video.planes import planes_of
from data.video.reader import probe, read_frames
from data.writing.encode import VideoWriter


def losses(path: Path) -> tuple[float, float]:
    """(luma, the worse chroma plane): PSNR in dB."""
    with tempfile.TemporaryDirectory() as folder:
        new = Path(folder) / "new.mp4"
        with VideoWriter(new, source=probe(path)) as writer:
            for frame in read_frames(path):
                writer.write(frame)
        errors = []
        with av.open(str(path)) as before, av.open(str(new)) as after:
            for one, other in zip(before.decode(video=0), after.decode(video=0), strict=True):
                pairs = zip(planes_of(one), planes_of(other), strict=True)
                errors.append([float(((a.astype(np.float64) - b) ** 2).mean()) for a, b in pairs])
    luma, *chroma = 10 * np.log10(255**2 / np.mean(errors, axis=0))
    return float(luma), float(min(chroma))


def main() -> None:
    """Prints a line a clip."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path, help="8-bit, not interlaced, not turned")
    for path in parser.parse_args().clips:
        luma, chroma = losses(path)
        print(f"{path.name}: luma {luma:.1f} dB, chroma {chroma:.1f} dB")


if __name__ == "__main__":
    main()
