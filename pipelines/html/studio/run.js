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
  const grow = growForm(name);
  const report = button("Make its report", () => attempt(async () => {
    await askFor("report", { run: name });
    refreshSoon();
  }));
  main.append(make("p", { class: "overline" }, "run"), make("h1", {}, name), state, make("div", { class: "controls" }, bar, stop, report), advice, jobs,
    part("Samples over training", samples), part("Translate", translate), part("Watch", watch), part("Which checkpoint is best", selection),
    part("Losses and gradients", curves), part("Settings", settings), part("Train another like it", fork), part("Add a domain to it", grow));

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
    grow.show(run, home);
    if (!fork.children.length) fork.append(trainForm(run));
    fork.firstChild.offer(home);
  };
  return { refresh, follows: (changed) => changed.some((one) => one === "jobs" || one === `run:${name}`) };
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

/** Another domain for a run that takes more; hidden where it takes none. */
function growForm(run) {
  const domain = choice([], "");
  const steps = number("", 1, 100000000, 1);
  const form = make("form", { class: "form" }, make("p", { class: "quiet" }, "A run of its own, in which the older domains stay as they are."), field("domain", domain), field("steps", steps),
    make("div", { class: "controls" }, make("button", { type: "submit", class: "main" }, "Add")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      await askFor("train", { run, add: domain.value, ...(steps.value ? { steps: Number(steps.value) } : {}) });
      note("Asked for.");
      refreshSoon();
    });
  });
  form.show = (about, home) => {
    const others = home.domains.filter((one) => one.pictures && !about.domains.includes(one.name));
    form.parentElement.hidden = !about.adds || !others.length;
    offer(domain, others.map((one) => [one.name, one.name]));
  };
  return form;
}
