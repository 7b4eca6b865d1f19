"""Parts of decoded pictures."""

import av
import av.filter
from av.filter.context import FilterContext

from data.video.pixels import Box

_MOST = 16


class Cutter:
    """Cuts pictures without copying them, and keeps all that is told of them: where their chroma lies, for one, which
    PyAV does not say. Not for two threads at once."""

    def __init__(self) -> None:
        self._graphs: dict[tuple, tuple[av.filter.Graph, FilterContext]] = {}

    def __call__(self, picture: av.VideoFrame, box: Box) -> av.VideoFrame:
        """The part, which has to begin at a pixel that has chroma of its own."""
        height, width = box.size
        kind = (picture.width, picture.height, picture.format.name, width, height)
        if kind not in self._graphs:
            if len(self._graphs) >= _MOST:
                self._graphs.clear()
            self._graphs[kind] = _graph(picture, width, height)
        graph, crop = self._graphs[kind]
        crop.process_command("x", str(box.left))
        crop.process_command("y", str(box.top))
        graph.vpush(picture)
        return graph.vpull()


def _graph(picture: av.VideoFrame, width: int, height: int) -> tuple[av.filter.Graph, FilterContext]:
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=picture.width, height=picture.height, format=picture.format, time_base=picture.time_base
    )
    crop = graph.add("crop", out_w=str(width), out_h=str(height), x="0", y="0", exact="1")
    graph.link_nodes(source, crop, graph.add("buffersink")).configure()
    return graph, crop
