/* Parts that several pages have. */
const path = (...parts) => "/" + parts.map(encodeURIComponent).join("/");
const file = (kind, ...parts) => path("files", kind, ...parts);

function bytesShown(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let place = 0;
  while (bytes >= 999.5 && place < units.length - 1) [bytes, place] = [bytes / 1000, place + 1];
  return `${Number(bytes.toPrecision(3))} ${units[place]}`;
}

function spanShown(seconds) {
  for (const [length, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (seconds >= length) return `${Math.round(seconds / length)} ${unit}`;
  }
  return `${Math.max(0, Math.round(seconds))} s`;
}

const ago = (at) => (at ? `${spanShown(Date.now() / 1000 - at)} ago` : "");

/** Fills a place anew where what it shows has changed; the focus stays on the control with the same data-key. */
function renew(place, shows, build) {
  const now = JSON.stringify(shows);
  if (place.shows === now) return;
  place.shows = now;
  const key = place.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const open = new Set([...place.querySelectorAll("details[open]")].map((part) => part.dataset.key));
  place.replaceChildren(...[build()].flat().filter(Boolean));
  for (const part of place.querySelectorAll("details")) if (open.has(part.dataset.key)) part.open = true;
  if (key) [...place.querySelectorAll("[data-key]")].find((part) => part.dataset.key === key)?.focus();
}

let parts = 0;

/** A titled section; what stands in it is given. */
function part(title, ...children) {
  const id = `part-${++parts}`;
  return make("section", { "aria-labelledby": id }, make("h2", { id }, title), ...children);
}

/** A control with its label. */
function field(label, control, about = null) {
  const id = `field-${++parts}`;
  control.id = id;
  const told = about ? make("span", { class: "quiet", id: `${id}-about` }, about) : null;
  if (about) control.setAttribute("aria-describedby", `${id}-about`);
  return make("div", { class: "field" }, make("label", { for: id }, label), control, told);
}

const choice = (options, chosen) => make("select", {}, options.map(([value, text]) => make("option", { value, selected: value === chosen }, text)));

/** Exchanges the options of a select and keeps what was chosen, where that is still there. */
function offer(select, options) {
  renew(select, options, () => options.map(([value, text]) => make("option", { value, selected: value === select.value }, text)));
}

const text = (value = "", attributes = {}) => make("input", { type: "text", value, autocomplete: "off", spellcheck: "false", ...attributes });
const number = (value, min, max, step = "any") => make("input", { type: "number", value, min, max, step, inputmode: "decimal" });
const tick = (checked) => make("input", { type: "checkbox", checked });
const button = (label, onclick, attributes = {}) => make("button", { type: "button", onclick, ...attributes }, label);

/** Several videos of the same moments under one control. */
function playersPart({ videos, times }) {
  const elements = videos.map((one) => {
    const video = make("video", { muted: true, playsinline: true, preload: "auto", src: one.address, "aria-label": one.title, "data-kind": one.kind });
    video.muted = true;
    video.addEventListener("error", () => (trouble.textContent = "This browser cannot play this video; download it instead."));
    return video;
  });
  const trouble = make("p", { class: "quiet", role: "alert" });
  const play = button("Play", () => lockstep.toggle(), { class: "main", id: "play" });
  const seek = make("input", { type: "range", min: 0, max: times.length - 1, value: 0, step: 1, id: "seek", "aria-label": "frame" });
  const now = make("p", { class: "readout", id: "now" });
  const lockstep = new Lockstep(elements, times, (frame, playing) => {
    play.textContent = playing ? "Pause" : "Play";
    seek.value = frame;
    seek.setAttribute("aria-valuetext", `frame ${frame}, ${clock(times[frame])}`);
    now.textContent = `frame ${shown(frame)} of ${shown(times.length - 1)}, at ${clock(times[frame])}`;
  });
  seek.addEventListener("input", () => lockstep.seek(Number(seek.value)));
  const sound = button("Sound", () => {
    elements[0].muted = !elements[0].muted;
    sound.setAttribute("aria-pressed", String(!elements[0].muted));
  }, { "aria-pressed": "false" });
  const speed = choice(["0.1", "0.25", "0.5", "1", "2"].map((value) => [value, value]), "1");
  speed.addEventListener("change", () => lockstep.setSpeed(Number(speed.value)));
  const whole = make("div", { class: "watch" },
    make("div", { class: "players" }, elements.map((element, place) =>
      make("figure", {}, element, make("figcaption", {}, make("b", {}, videos[place].title))))),
    make("div", { class: "controls" }, play,
      button("‹ frame", () => lockstep.step(-1), { "aria-label": "one frame back" }),
      button("frame ›", () => lockstep.step(1), { "aria-label": "one frame on" }),
      make("label", { class: "seek" }, seek), make("label", {}, "speed ", speed), sound),
    now, trouble);
  whole.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select, input")) return;
    const frames = { ArrowLeft: -1, ArrowRight: 1, ",": -1, ".": 1 }[event.key];
    if (!frames) return;
    event.preventDefault();
    lockstep.step(frames);
  });
  lockstep.seek(0);
  return whole;
}
