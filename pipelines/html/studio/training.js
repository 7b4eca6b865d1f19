/* What is trained: which domains, by which method, how long, and what that takes here. */
/** Two domains or more, a method, a preset, a length. run: another one whose options it begins from. */
function trainForm(run = null) {
  const [a, b, method, preset] = [choice([], ""), choice([], ""), choice([], ""), choice([], "")];
  const line = make("p", { class: "quiet" });
  const more = make("fieldset", { hidden: true }, make("legend", {}, "and more domains"));
  const pace = pacePart(method, preset);
  const [minutes, steps] = [number("", 0.01, 100000), number("", 1, 100000000, 1)];
  const name = text(run ? `${run.name}-2` : "");
  const guard = choice([["", "none"]], "");
  const fine = {
    sample_every: field("steps between samples", number("", 1, 1000000, 1)),
    learning_rate: field("learning rate", number("", 0.0000001, 1)),
    batch_size: field("windows a step", number("", 1, 512, 1)),
    seed: field("seed", number("", 0, 1000000000, 1)),
    save_every: field("steps between checkpoints", number("", 1, 1000000, 1)),
    semantic: field("weight of labels that survive", number("", 0, 1000), "with a labeller that knows A's labels"),
  };
  const begin = choice([["", "fresh weights"], ...(run ? [[run.name, `the weights of ${run.name}`]] : [])], "");
  const labelled = field("labeller", guard, "as retarget adapt leaves it in a run");
  const form = make("form", { class: "form" }, field("from (A)", a), field("to the look of (B)", b), field("method", method), line, more, field("preset", preset), pace,
    field("minutes", minutes), field("or steps", steps), field("name of the run", name, "A-B where it is left empty"),
    make("details", { "data-key": "fine" }, make("summary", {}, "More"), make("div", { class: "form" }, Object.values(fine), labelled, run ? field("begin with", begin) : null)),
    make("div", { class: "controls" }, make("button", { type: "submit", class: "main" }, run ? "Train another" : "Train"),
      button("What do they lack?", () => attempt(async () => {
        for (const other of [b.value, ...others()]) await askFor("doctor", { a: a.value, b: other });
        note("Looking at them: what they share and lack, and which pictures to drop.");
        refreshSoon();
      }))));
  const chosen = () => form.methods?.find((one) => one.name === method.value);
  const others = () => (more.hidden ? [] : [...more.querySelectorAll("label:not([hidden]) input:checked")].map((box) => box.value));
  const tell = () => {
    line.textContent = chosen()?.line ?? "";
    for (const box of more.querySelectorAll("input")) box.parentElement.hidden = [a.value, b.value].includes(box.value);
    more.hidden = chosen()?.ways !== "many" || !more.querySelector("label:not([hidden])");
    fine.semantic.hidden = labelled.hidden = !chosen()?.semantic || guard.options.length < 2;
    pace.tell();
  };
  for (const control of [method, preset, a, b]) control.addEventListener("change", tell);
  get("/api/choices").then((choices) => {
    form.methods = choices.methods;
    offer(method, choices.methods.map((one) => [one.name, one.title]));
    method.value = run ? run.method : choices.method;
    offer(preset, choices.presets.map((one) => [one.name, `${one.name}: ${one.size} px, ${shown(one.steps)} steps`]));
    pace.presets = choices.presets;
    refreshSoon();
  }).catch((error) => note(error.message));
  form.offer = (home) => {
    const names = home.domains.filter((domain) => domain.pictures).map((domain) => domain.name);
    if (!run && !home.machine.gpus.length && !form.told && form.methods) [preset.value, form.told] = ["tiny", true]; // what a CPU gets somewhere with
    const before = [a.value, b.value];
    for (const side of [a, b]) offer(side, names.map((one) => [one, one]));
    if (run && !before[0]) [a.value, b.value] = [run.a, run.b];
    else if (!before[1] && names.length > 1) b.value = names[1];
    const ticked = new Set([...more.querySelectorAll("input:checked")].map((box) => box.value));
    renew(more, names, () => [make("legend", {}, "and more domains"), ...names.map((one) =>
      make("label", {}, make("input", { type: "checkbox", value: one, checked: ticked.has(one), "data-key": `more-${one}` }), one))]);
    offer(guard, [["", "none"], ...home.labellers.map((one) => [one, one])]);
    pace.offer(home);
    tell();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const asked = { a: a.value, b: b.value, method: method.value, preset: preset.value, run: name.value.trim(), source: begin.value };
    if (others().length) asked.more = others();
    if (!labelled.hidden) asked.guard = guard.value;
    for (const [key, part_] of Object.entries({ minutes, steps, ...fine })) {
      const control = part_.querySelector?.("input") ?? part_;
      if (!part_.hidden && control.value) asked[key] = Number(control.value);
    }
    attempt(async () => {
      await askFor("train", asked);
      note("Asked for.");
      refreshSoon();
    });
  });
  return form;
}

/** What a thousand steps take here, as far as that was measured, and measuring it. */
function pacePart(method, preset) {
  const told = make("span", { class: "quiet", role: "status" });
  const ask = button("Measure it here (ten seconds)", () => attempt(async () => {
    await askFor("train", { measure: true, method: method.value, preset: preset.value });
    refreshSoon();
  }), { class: "small", "data-key": "measure" });
  const whole = make("p", { class: "pace" }, told, ask);
  let [paces, jobs] = [[], []];
  whole.offer = (home) => ([paces, jobs] = [home.paces, home.jobs]);
  whole.tell = () => {
    const own = paces.find((one) => one.method === method.value && one.preset === preset.value);
    const steps = whole.presets?.find((one) => one.name === preset.value)?.steps;
    const job = jobs.find((one) => one.about.measures === `${method.value} ${preset.value}`);
    told.textContent = own
      ? `Here: ${spanShown(1000 * own.seconds)} per 1,000 steps and ${bytesShown(own.bytes)} of memory (${own.on}); its ${shown(steps)} steps take ${spanShown(steps * own.seconds)}. Measured ${ago(own.at)}.`
      : "How long it takes here was not measured yet.";
    if (job && !isOver(job)) told.textContent = "It is being measured …";
    else if (job?.why) told.textContent = job.why;
    ask.disabled = Boolean(job && !isOver(job));
    ask.textContent = own ? "Measure again" : "Measure it here (ten seconds)";
  };
  return whole;
}
