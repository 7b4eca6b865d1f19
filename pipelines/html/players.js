/* Several videos of the same frames, in lockstep under one control.

   At every repaint they are compared by what they show: their clocks alone do not tell, a browser may be showing a frame
   that is two away from what a clock says, another number at each start. Where a machine is too slow for one of them,
   those that are ahead of it wait, so that all slow down together; smaller differences are taken out by playing a little
   faster or slower than the first video, which is the one that may sound. Every video is muted but that one, which is
   until sound is asked for. */
const GENTLE_SECONDS = 0.25; // a small difference is gone after about so long
const STRONGEST = 0.2; // part by which the speed of a video may differ from the first one's
const [HOLD, RELEASE, ALIKE] = [0.75, 0.25, 0.1]; // differences, in frames
const LOOKS = 16; // frames over which the distance of picture and clock is averaged

/** How far the picture that a video shows is ahead of its clock, in seconds, on average since it was last started. */
class Lead {
  constructor(video) {
    this.forget();
    const look = (_, { mediaTime }) => {
      if (!video.paused && !video.seeking) {
        this.looks = Math.min(this.looks + 1, LOOKS);
        this.seconds += (mediaTime - video.currentTime - this.seconds) / this.looks;
      }
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback?.(look); // where a browser does not tell, the clock has to do
  }

  forget() {
    [this.looks, this.seconds] = [0, 0];
  }
}

class Lockstep {
  /** videos: the master first. times: the seconds at which each frame begins. onChange(frame, playing): for display. */
  constructor(videos, times, onChange) {
    [this.videos, this.times, this.onChange] = [videos, times, onChange];
    [this.master, ...this.followers] = videos;
    this.leads = new Map(videos.map((video) => [video, new Lead(video)]));
    this.frame = 0;
    this.speed = 1;
    this.playing = false;
    this.wanted = null;
    this.sought = Promise.resolve();
    const last = times.length - 1;
    this.frameSeconds = last > 0 ? (times[last] - times[0]) / last : 0.04;
  }

  get last() {
    return this.times.length - 1;
  }

  /** The middle of a frame's time on screen, where no rounding shows its neighbour. */
  middle(frame) {
    const next = frame < this.last ? this.times[frame + 1] : this.times[frame] + this.frameSeconds;
    return (this.times[frame] + next) / 2;
  }

  /** The frame on screen at `seconds`. */
  frameAt(seconds) {
    let [low, high] = [0, this.last];
    while (low < high) {
      const half = Math.ceil((low + high) / 2);
      if (this.times[half] <= seconds + 1e-4) low = half;
      else high = half - 1;
    }
    return low;
  }

  /** Shows a frame in all videos. Calls that come while a seek is under way are carried out after it, the last only. */
  seek(frame) {
    const idle = this.wanted === null;
    this.frame = this.wanted = clamp(frame, 0, this.last);
    this.onChange(this.frame, this.playing);
    if (idle) this.sought = this.#seekAll();
    return this.sought;
  }

  async #seekAll() {
    let done = null;
    while (done !== this.wanted) {
      done = this.wanted;
      await Promise.all(this.videos.map((video) => seeked(video, this.middle(done))));
    }
    this.wanted = null;
  }

  /** Stops and goes `frames` on, or back. */
  step(frames) {
    this.pause();
    return this.seek(this.frame + frames);
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  setSpeed(speed) {
    this.speed = speed;
    for (const video of this.videos) video.playbackRate = speed;
  }

  async play() {
    if (this.playing) return;
    this.playing = true;
    this.onChange(this.frame, true);
    await (this.frame >= this.last ? this.seek(0) : this.sought);
    if (!this.playing) return;
    this.setSpeed(this.speed);
    for (const video of this.videos) {
      this.leads.get(video).forget();
      start(video);
    }
    requestAnimationFrame(() => this.#tick());
  }

  /** Stops all on the frame that the master shows. */
  pause() {
    if (!this.playing) return;
    this.playing = false;
    for (const video of this.videos) video.pause();
    this.seek(this.frame);
  }

  #tick() {
    if (!this.playing) return;
    if (this.wanted === null) {
      const ended = this.videos.some((video) => video.ended);
      this.frame = ended ? this.last : this.frameAt(this.master.currentTime);
      if (ended) return this.pause();
      this.#waitForTheLast();
      for (const video of this.followers) this.#correct(video);
      this.onChange(this.frame, true);
    }
    requestAnimationFrame(() => this.#tick());
  }

  /** The time of what a video shows. All are compared by their clocks until something is known of each. */
  #place(video) {
    const known = [...this.leads.values()].every((lead) => lead.looks >= LOOKS / 4);
    return video.currentTime + (known ? this.leads.get(video).seconds : 0);
  }

  #waitForTheLast() {
    const frame = this.frameSeconds * Math.max(1, this.speed);
    const last = Math.min(...this.videos.map((video) => this.#place(video)));
    for (const video of this.videos) {
      const lead = this.#place(video) - last;
      if (lead > HOLD * frame) video.pause();
      else if (video.paused && lead < RELEASE * frame) start(video);
    }
  }

  #correct(video) {
    if (video.paused || this.master.paused) return;
    const drift = this.#place(video) - this.#place(this.master);
    let speed = this.speed;
    if (Math.abs(drift) > ALIKE * this.frameSeconds) speed *= 1 - clamp(drift / GENTLE_SECONDS, -STRONGEST, STRONGEST);
    if (Math.abs(video.playbackRate - speed) > 0.002 * this.speed) video.playbackRate = speed;
  }
}

const start = (video) => video.play().catch(() => {}); // a pause that comes first is no error

/** Resolves when `video` shows `seconds`, or cannot. */
async function seeked(video, seconds) {
  if (video.error) return;
  if (video.readyState < HTMLMediaElement.HAVE_METADATA) await once(video, "loadedmetadata");
  if (video.error) return;
  const arrived = once(video, "seeked");
  video.currentTime = seconds;
  await arrived;
}

function once(video, event) {
  return new Promise((resolve) => {
    for (const name of [event, "error"]) video.addEventListener(name, resolve, { once: true });
  });
}
