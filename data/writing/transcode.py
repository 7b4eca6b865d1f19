"""Sound that cannot be copied: decoded, brought to one rate and layout, placed by its times, encoded as AAC."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

from data.video.clocks import SampleClock
from data.video.container import time_base_of
from data.writing.tracks import decode_sound

AAC_BITS_PER_CHANNEL = 96_000
_CHUNK_SAMPLES = 48_000
MOST_SILENCE_SECONDS = 3 * 3600
"""That a track's holes are filled with, all in all: more is damage, and takes long."""
_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
_UNHEARD_SECONDS = Fraction(3, 2000)
"""By so much times may be off the count of samples before it is a hole; less is the container's coarse unit."""


class Transcoder:
    """Encodes a track anew, in sync: holes are filled with silence, overlaps are cut.

    rate, layout: of the new track. start: seconds of the source before which nothing is heard; None for all.
    out: the new track, whose packets count in samples, at the times of the source.
    """

    def __init__(
        self, output: OutputContainer, source: AudioStream, rate: int, layout: str, start: Fraction | None
    ) -> None:
        self._source, self._start, self.rate, self._layout = source, start, rate, layout
        self._clock = SampleClock(max(time_base_of(source), _UNHEARD_SECONDS))
        self._kind: tuple[int, str, str] | None = None
        self._resampler: AudioResampler | None = None
        self._end: Fraction | None = None  # of the stretch of sound that is being resampled, in seconds
        self._place: int | None = None  # of the next sample that is encoded, in samples from 0 seconds
        self._skip = 0
        self._silence = MOST_SILENCE_SECONDS * rate  # that may still be filled in
        self.out = output.add_stream("aac", rate=rate, layout=layout)
        self.out.bit_rate = AAC_BITS_PER_CHANNEL * self.out.codec_context.layout.nb_channels

    def packets(self, packet: Packet | None) -> Iterator[Packet]:
        """What is finished after one more source packet; None for the last of all."""
        for frame in decode_sound(self._source, packet):  # a damaged packet is a hole
            yield from self._take(frame)
        if packet is None:
            yield from self._resampled(None)
            if self._place is not None:
                yield from self.out.encode(None)

    def _take(self, frame: AudioFrame) -> Iterator[Packet]:
        given = None if frame.pts is None or frame.time_base is None else frame.pts * frame.time_base
        length = Fraction(frame.samples, frame.sample_rate)
        begin = self._clock.stamp(given, length)
        frame = _named(frame)
        kind = (frame.sample_rate, frame.layout.name, frame.format.name)
        if kind != self._kind or begin != self._end:
            yield from self._resampled(None)
            self._kind = kind
            self._resampler = AudioResampler("fltp", self._layout, self.rate)
            yield from self._go_to(begin)
        self._end = begin + length
        frame.pts = None
        yield from self._resampled(frame)

    def _go_to(self, begin: Fraction) -> Iterator[Packet]:
        """Makes ready for sound that begins there: silence up to it, or what is to be cut of it."""
        target = round(begin * self.rate)
        if self._place is None:
            self._place = target if self._start is None else max(target, round(self._start * self.rate))
        if target - self._place > self._silence:
            target = self._place  # times that are damaged
        self._silence -= max(0, target - self._place)
        self._skip = max(0, self._place - target)
        while self._place < target:
            count = min(_CHUNK_SAMPLES, target - self._place)
            channels = AudioLayout(self._layout).nb_channels
            yield from self._encoded(np.zeros((channels, count), np.float32))

    def _resampled(self, frame: AudioFrame | None) -> Iterator[Packet]:
        """Encodes what the resampler gives for one more frame; None for its last."""
        if self._resampler is None:
            return
        for part in self._resampler.resample(frame):
            samples = np.asarray(part.to_ndarray(), np.float32)
            cut = min(self._skip, samples.shape[1])
            self._skip -= cut
            if cut < samples.shape[1]:
                yield from self._encoded(samples[:, cut:])
        if frame is None:
            self._resampler = None

    def _encoded(self, samples: np.ndarray) -> Iterator[Packet]:
        assert self._place is not None
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", self._layout)
        frame.sample_rate, frame.pts, frame.time_base = self.rate, self._place, Fraction(1, self.rate)
        self._place += samples.shape[1]
        yield from self.out.encode(frame)


def _named(frame: AudioFrame) -> AudioFrame:
    """The frame with its channels named in the usual order, where its decoder only counts them."""
    if not frame.layout.name.endswith(" channels") or frame.layout.nb_channels not in _LAYOUTS:
        return frame
    named = AudioFrame.from_ndarray(frame.to_ndarray(), frame.format.name, _LAYOUTS[frame.layout.nb_channels])
    named.sample_rate = frame.sample_rate
    return named
