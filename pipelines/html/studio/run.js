/* A run: how far it is, what it shows, and what is made with it. */
function runPage(main, name) {
  document.title = `${name} · retarget studio`;
  const jobs = jobsList();
  const state = make("p", { id: "state", role: "status" });
  const bar = make("progress", { max: 1, "aria-label": "training" });
  const stop = button("Stop (saves first)", () => attempt(async () => {
    await post(path("api", "runs", name, "stop"));
    note("It saves and stops.");
    refreshSoon();
  }), { id: "stop" });
  const samples = samplesPart(name);
  const advice = make("p", {});
  const [selection, curves, watch, settings, fork] = [make("div"), make("div", { class: "curves" }), make("div"), make("dl"), make("div")];
  const translate = translateForm(name);
  const report = button("Make its report", () => attempt(async () => {
    await askFor("report", { run: name });
    refreshSoon();
  }));
  main.append(make("p", { class: "overline" }, "run"), make("h1", {}, name), state, make("div", { class: "controls" }, bar, stop, report), advice, jobs,
    part("Samples over training", samples), part("Translate", translate), part("Watch", watch), part("Which checkpoint is best", selection),
    part("Losses and gradients", curves), part("Settings", settings), part("Train another like it", fork));

  const refresh = async () => {
    const [run, home] = await Promise.all([get(path("api", "runs", name)), get("/api/home")]);
    showMachine(home.machine);
    jobs.show(home.jobs.filter((job) => job.about.run === name), home.elsewhere.filter((one) => one.process === run.process));
    state.textContent = runState(run);
    const part_ = run.steps ? run.step / run.steps : run.minutes && run.left_seconds !== null ? 1 - run.left_seconds / (60 * run.minutes) : null;
    if (part_ !== null) bar.value = clamp(part_, 0, 1);
    stop.hidden = run.state !== "training";
    advice.textContent = run.trouble || stopAdvice(run);
    samples.show(run.samples);
    samples.parentElement.hidden = !run.samples.length;
    selection.parentElement.hidden = !run.selection;
    renew(selection, run.selection, () => run.selection && [make("p", { class: "quiet" }, run.selection.about), new Chart(run.selection.chart).element]);
    curves.parentElement.hidden = !run.curves;
    renew(curves, run.curves, () => run.curves && run.curves.charts.map((chart) => new Chart(chart).element));
    watch.parentElement.hidden = !run.players;
    renew(watch, [run.players, run.measures], () => run.players && [playersPart(run.players), measuresList(run.measures)]);
    renew(settings, run.settings, () => run.settings.flatMap(([term, words]) => [make("dt", {}, term), make("dd", {}, words)]));
    translate.offer(home.uploads, run);
    translate.tell(home.jobs.filter((job) => job.about.run === name));
    if (!fork.children.length) fork.append(trainForm(run));
    fork.firstChild.offer(home.domains.filter((domain) => domain.pictures), home.machine);
  };
  return { refresh, follows: (changed) => changed.some((one) => one === "jobs" || one === `run:${name}` || one === "previews") };
}

/** Whether it is still worth waiting. */
function stopAdvice(run) {
  if (!run.selection || run.best === null) return "";
  const since = run.selection.chart.step.filter((step) => step > run.best).length;
  return since >= 5 ? `No better checkpoint since step ${shown(run.best)}, ${since} comparisons ago: it seems to have stopped improving.` : "";
}

const measuresList = (measures) => make("table", {}, make("tbody", {}, measures.filter((one) => one.value !== null).map((one) =>
  make("tr", {}, make("th", { scope: "row" }, one.title), make("td", { class: "number" }, shown(one.value)), make("td", { class: "unit" }, one.unit), make("td", { class: "quiet" }, one.better ? `${one.better} is better` : "")))));

/** A slider over the sample sheets, which stays at the end while it is there. */
function samplesPart(name) {
  const slider = make("input", { type: "range", min: 0, max: 0, value: 0, "aria-label": "step of the sample sheet" });
  const told = make("span", { class: "readout", id: "sample-step", role: "status" });
  const image = make("img", { class: "sheet", id: "sample", alt: "" });
  let steps = [];
  const look = () => {
    const step = steps[Number(slider.value)];
    if (step === undefined) return;
    told.textContent = `step ${shown(step)}`;
    slider.setAttribute("aria-valuetext", told.textContent);
    const address = sampleAddress(name, step);
    if (!image.src.endsWith(address)) fill(image, { src: address, alt: `sample sheet at step ${step}` }, []);
  };
  slider.addEventListener("input", look);
  const whole = make("div", {}, make("div", { class: "controls" }, told, make("label", { class: "seek" }, slider)), image);
  whole.show = (now) => {
    const atEnd = Number(slider.value) >= steps.length - 1;
    steps = now;
    slider.max = Math.max(0, steps.length - 1);
    if (atEnd) slider.value = slider.max;
    look();
  };
  return whole;
}

/** Rendering, measuring, and one frame to try options on. */
function translateForm(run) {
  const clip = choice([["", "the held-out end of its own clip"]], "");
  const truth = choice([["", "not known"]], "");
  const reverse = tick(false);
  const [from, to, at] = [text(""), text(""), text("0")];
  const codec = choice(["auto", "h264", "hevc", "av1", "prores", "ffv1", "png"].map((one) => [one, one]), "auto");
  const quality = make("input", { type: "range", min: 0, max: 100, value: 75 });
  const blend = choice([["feather", "a soft mask"], ["none", "the whole square"]], "feather");
  const colour = tick(true);
  const checkpoint = choice([["best", "the best"], ["newest", "the newest"]], "best");
  const picture = make("img", { class: "sheet", id: "frame-shown", alt: "", hidden: true });
  const told = make("p", { class: "quiet", role: "status" });
  const common = () => ({ run, input: clip.value ? [clip.value] : [], reverse: reverse.checked, checkpoint: checkpoint.value });
  const looks = () => ({ ...common(), blend: blend.value, colour_match: colour.checked });
  const ask = (command, options, line) => attempt(async () => {
    const { id } = await askFor(command, options);
    note(line);
    refreshSoon();
    return id;
  });
  let wanted = null;
  const tryFrame = () => attempt(async () => {
    const output = `${run}-${Date.now()}.png`;
    const { id } = await askFor("render", { ...looks(), preview: at.value.trim() || "0", output });
    const before = wanted;
    wanted = { id, output };
    told.textContent = "One frame is being translated …";
    if (before) await post(path("api", "jobs", before.id, "stop")).catch(() => null); // it may have ended
    refreshSoon();
  });
  let waiting = 0;
  for (const control of [blend, colour, at, reverse, checkpoint, clip]) {
    control.addEventListener("change", () => {
      if (!wanted) return; // once a frame was looked at, changes are shown on it
      clearTimeout(waiting);
      waiting = setTimeout(tryFrame, 400);
    });
  }
  const form = make("form", { class: "form" }, field("clip", clip), field("from", from, "seconds or m:ss"), field("to", to), field("put back behind", blend), field("checkpoint", checkpoint),
    field("encoder", codec), field("quality", quality),
    make("label", {}, reverse, "from B to A"), make("label", {}, colour, "match colours"),
    make("div", { class: "controls" }, make("button", { type: "submit", class: "main" }, "Render"),
      button("Measure", () => ask("evaluate", { ...common(), truth: truth.value ? [truth.value] : [] }, "Measuring.")), field("against the truth", truth)),
    make("div", { class: "controls" }, field("frame at", at, "seconds or m:ss"), button("Preview this frame", tryFrame)), told, picture);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask("render", { ...looks(), start: from.value.trim(), stop: to.value.trim(), codec: codec.value, quality: Number(quality.value) }, "Asked for: the result appears on the first page.");
  });
  form.offer = (uploads, about) => {
    offer(clip, [["", `the held-out end of ${about.a}'s own clip`], ...uploads.map((name) => [`upload:${name}`, name])]);
    offer(truth, [["", "not known"], ...uploads.map((name) => [`upload:${name}`, name])]);
  };
  form.tell = (jobs) => {
    const job = wanted && jobs.find((one) => one.id === wanted.id);
    if (!job || !isOver(job)) return;
    told.textContent = job.state === "done" ? `The frame at ${at.value || 0}.` : job.why;
    if (job.state === "done" && picture.dataset.shows !== wanted.output) {
      picture.hidden = false;
      picture.dataset.shows = wanted.output;
      fill(picture, { src: file("previews", wanted.output), alt: "the translated frame" }, []);
    }
  };
  return form;
}
