/* Rendering, measuring, and one frame to try options on. */
const SCALES = [["native", "as large as they are"], ["training", "as they were learned from"], ["64", "64 px"], ["128", "128 px"], ["256", "256 px"], ["512", "512 px"]];
const LEAST_QUIET_MS = 120; // before a preview is asked for again
const PICTURES = /\.(png|jpe?g|webp)$/i;

const slider = (value, min, max, step) => make("input", { type: "range", value, min, max, step });

/** The form; `offer` and `tell` keep it fresh. */
function translateForm(run) {
  const clip = choice([["", "the held-out end of its own clip"]], "");
  const where = text("", { placeholder: "/home/me/clip.mp4 or https://…" });
  const truth = choice([["", "not known"]], "");
  const reverse = tick(false);
  const [outOf, into, reference] = [choice([], ""), choice([], ""), choice([["", "none"]], "")];
  const sample = number("", 0, 1000000, 1);
  const [from, to, at] = [text(""), text(""), text("0")];
  const codec = choice(["auto", "h264", "hevc", "av1", "prores", "ffv1", "png"].map((one) => [one, one]), "auto");
  const quality = slider(75, 0, 100, 1);
  const blend = choice([["feather", "a soft mask"], ["none", "the whole square"]], "feather");
  const [feather, strength] = [slider(0.01, 0.01, 0.5, 0.01), slider(1, 0, 1, 0.05)];
  const scale = choice(SCALES, "native");
  const checkpoint = choice([["best", "the best"], ["newest", "the newest"]], "best");
  const fields = {
    reverse: make("label", {}, reverse, "from B to A"), outOf: field("the clip is of", outOf), into: field("to the look of", into),
    reference: field("in the style of a picture", reference, "drop it on the first page"), sample: field("answer number", sample),
    blend: field("put back behind", blend), feather: field("softness of the mask", feather), strength: field("match colours", strength, "from not at all to wholly"),
    scale: field("size of frames", scale),
  };
  const common = () => {
    const asked = { run, input: where.value.trim() || clip.value ? [where.value.trim() || clip.value] : [], checkpoint: checkpoint.value };
    if (!fields.reverse.hidden) asked.reverse = reverse.checked;
    if (!fields.outOf.hidden) [asked.out_of, asked.into] = [outOf.value, into.value];
    if (!fields.reference.hidden) asked.reference = reference.value;
    if (!fields.sample.hidden && sample.value) asked.sample = Number(sample.value);
    if (!fields.scale.hidden && scale.value !== "native") asked.scale = scale.value;
    return asked;
  };
  const looks = () => (fields.blend.hidden ? common() : { ...common(), blend: blend.value, feather: Number(feather.value), match_strength: Number(strength.value) });
  const ask = (command, options, line) => attempt(async () => {
    await askFor(command, options);
    note(line);
    refreshSoon();
  });
  const shows = framePart(run, at, () => looks());
  for (const control of [blend, feather, strength, scale, at, reverse, outOf, into, reference, sample, checkpoint, clip, where]) {
    control.addEventListener(control.type === "range" ? "input" : "change", shows.again);
  }
  const form = make("form", { class: "form" }, field("clip", clip), field("or a file, a folder, an address", where), field("from", from, "seconds or m:ss"), field("to", to), Object.values(fields), field("checkpoint", checkpoint),
    field("encoder", codec), field("quality", quality),
    make("div", { class: "controls" }, make("button", { type: "submit", class: "main" }, "Render"),
      button("Measure", () => ask("evaluate", { ...common(), truth: truth.value ? [truth.value] : [] }, "Measuring.")), field("against the truth", truth)),
    make("div", { class: "controls" }, field("frame at", at, "seconds or m:ss"), button("Preview this frame", shows.now)), shows.told, shows.picture);
  form.addEventListener("focusin", () => post("/api/warm").catch(() => null), { once: true }); // whoever comes here will try a frame
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask("render", { ...looks(), start: from.value.trim(), stop: to.value.trim(), codec: codec.value, quality: Number(quality.value) }, "Asked for: the result appears on the first page.");
  });
  form.offer = (uploads, about) => {
    const [videos, pictures] = [uploads.filter((name) => !PICTURES.test(name)), uploads.filter((name) => PICTURES.test(name))];
    const offered = (names) => names.map((name) => [`upload:${name}`, name]);
    offer(clip, [["", `the held-out end of ${about.a}'s own clip`], ...offered(videos)]);
    offer(truth, [["", "not known"], ...offered(videos)]);
    offer(reference, [["", "none"], ...offered(pictures)]);
    for (const [place, side] of [outOf, into].entries()) {
      const [fresh, names] = [!side.options.length, about.domains.map((name) => [name, name])];
      offer(side, names);
      if (fresh && names[place]) side.value = names[place][0];
    }
    if (!form.offered) [feather.value, form.offered] = [about.feather, true];
    fields.reverse.hidden = about.domains.length > 2;
    fields.outOf.hidden = fields.into.hidden = about.domains.length < 3;
    fields.reference.hidden = !about.asks.includes("reference");
    fields.sample.hidden = !about.asks.includes("sample");
    fields.scale.hidden = !about.whole;
    fields.blend.hidden = fields.feather.hidden = fields.strength.hidden = about.whole;
  };
  return form;
}

/** One frame, translated anew while options change; the last wish wins. at: its time. looks(): the options now. */
function framePart(run, at, looks) {
  const picture = make("img", { class: "sheet", id: "frame-shown", alt: "", hidden: true });
  const told = make("p", { class: "quiet", role: "status" });
  let [wished, working, seen, waiting] = [false, false, false, 0];
  const now = async () => {
    clearTimeout(waiting);
    wished = true;
    if (working) return;
    working = true;
    while (wished) {
      wished = false;
      told.textContent = seen ? "The frame is being translated …" : "The frame is being translated; the first one takes longer …";
      try {
        const began = performance.now();
        const { output } = await post("/api/preview", { options: { ...looks(), preview: at.value.trim() || "0", output: `${run}-${Date.now()}.png` } });
        seen = true;
        picture.hidden = false;
        fill(picture, { src: file("previews", output), alt: "the translated frame" }, []);
        told.textContent = `The frame at ${at.value.trim() || 0}, in ${((performance.now() - began) / 1000).toFixed(1)} s.`;
      } catch (error) {
        told.textContent = error.message;
      }
    }
    working = false;
  };
  const again = () => {
    if (!seen) return; // once a frame was looked at, changes are shown on it
    clearTimeout(waiting);
    waiting = setTimeout(now, LEAST_QUIET_MS);
  };
  return { picture, told, now, again };
}
