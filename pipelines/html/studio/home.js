/* The first page: domains, runs, results, and what is being done. */
function homePage(main) {
  document.title = "retarget studio";
  const jobs = jobsList();
  const doing = part("What is being done", jobs);
  const clips = make("div", { class: "clips" });
  const domains = make("div", { class: "cards" });
  const runs = make("div", { class: "cards" });
  const renders = make("ul", { class: "plain-list" });
  const trash = make("ul", { class: "plain-list" });
  const trashPart = make("section", { hidden: true }, make("details", { "data-key": "trash" }, make("summary", {}, "Trash"), trash));
  const training = trainForm();
  main.append(
    make("h1", {}, "Studio"),
    doing,
    part("Videos", make("p", { class: "quiet" }, "Each becomes a domain: pictures of one person or scene to learn from. Clips of the same name go into the same domain."), dropZone(), clips, pathForm()),
    part("Domains", domains),
    part("Train", training),
    part("Runs", runs),
    part("Results", renders),
    trashPart,
  );

  const refresh = async () => {
    const home = await get("/api/home");
    showMachine(home.machine);
    doing.hidden = !home.jobs.length && !home.elsewhere.length;
    jobs.show(home.jobs, home.elsewhere);
    renew(clips, home.uploads, () => home.uploads.map(clipEntry));
    renew(domains, home.domains, () => home.domains.length ? home.domains.map(domainCard) : [empty("No domain yet: drop a video above.")]);
    renew(runs, home.runs, () => home.runs.length ? home.runs.map(runCard) : [empty("No run yet: choose two domains and train.")]);
    renew(renders, home.renders, () => home.renders.length ? home.renders.map(renderEntry) : [make("li", { class: "quiet" }, "No result yet.")]);
    trashPart.hidden = !home.trash.length;
    renew(trash, home.trash, () => home.trash.map(trashEntry));
    training.offer(home);
  };
  return { refresh, follows: () => true };
}

const empty = (line) => make("p", { class: "quiet" }, line);

function showMachine(machine) {
  const gpus = machine.gpus.map((gpu) => `${gpu.name} ${gpu.busy} % busy, ${gpu.used} of ${gpu.memory} MB`);
  const told = [`${bytesShown(machine.free)} free on disk`, ...(gpus.length ? gpus : [`no GPU, ${machine.processors} processors`])];
  byId("machine").textContent = told.join(" · ");
}

function domainCard(domain) {
  const about = domain.trouble ?? `${shown(domain.pictures)} pictures of ${shown(domain.clips)} clip${domain.clips === 1 ? "" : "s"}, ${domain.aligner === "none" ? "whole frames" : `a face (${domain.aligner})`}, ${domain.size} px`;
  return make("article", { class: "card", "aria-label": `domain ${domain.name}` },
    domain.sheet ? make("img", { src: `${file("domains", domain.name, "contact-sheet.jpg")}?${domain.sheet}`, loading: "lazy", decoding: "async", alt: `contact sheet of ${domain.name}` }) : null,
    make("h3", {}, make("a", { href: path("domains", domain.name), "data-key": `domain-${domain.name}` }, domain.name)),
    make("p", { class: "quiet" }, about),
    removeButton("domains", domain.name));
}

function runCard(run) {
  const state = make("p", { class: "quiet" }, runState(run));
  return make("article", { class: "card", "aria-label": `run ${run.name}` },
    run.sample === null || run.sample === undefined ? null
      : make("img", { src: sampleAddress(run.name, run.sample), loading: "lazy", decoding: "async", alt: `sample of ${run.name} at step ${run.sample}` }),
    make("h3", {}, make("a", { href: path("runs", run.name), "data-key": `run-${run.name}` }, run.name)),
    state,
    removeButton("runs", run.name));
}

const sampleAddress = (run, step) => file("runs", run, "samples", `step-${String(step).padStart(6, "0")}.jpg`);

function runState(run) {
  if (run.trouble) return run.trouble;
  const of = run.steps ? ` of ${shown(run.steps)}` : "";
  const left = run.state === "training" && run.left_seconds !== null ? `, ${spanShown(run.left_seconds)} left` : "";
  const best = run.score === null ? "" : `; best ${shown(run.score)} at step ${shown(run.best)}`;
  return `${run.method}: ${run.state}, step ${shown(run.step)}${of}${left}${best}`;
}

function renderEntry(render) {
  return make("li", {}, make("a", { href: path("renders", render.name), "data-key": `render-${render.name}` }, render.name),
    make("span", { class: "quiet" }, `${render.bytes === null ? "pictures" : bytesShown(render.bytes)}, ${ago(render.changed)}`),
    removeButton("renders", render.name));
}

const removeButton = (kind, name) =>
  button("Remove", () => putAway(kind, name, refreshSoon), { class: "small", "aria-label": `remove ${name}`, "data-key": `remove-${kind}-${name}` });

function trashEntry(entry) {
  const back = button("Put back", () => attempt(async () => {
    await post("/api/restore", { kind: entry.kind, id: entry.id });
    refreshSoon();
  }), { class: "small", "aria-label": `put back ${entry.name}` });
  return make("li", {}, make("span", {}, `${entry.kind}/${entry.name}`), make("span", { class: "quiet" }, ago(entry.at)), back);
}

/** Where videos are dropped, or chosen by the keyboard. */
function dropZone() {
  const chooser = make("input", { type: "file", multiple: true, accept: "video/*,.mkv,.mts,.m2ts,.mxf,.vob,.ts" });
  const going = make("ul", { class: "plain-list" });
  const zone = make("div", { class: "drop" }, field("Drop videos here, or choose them", chooser), going);
  const take = async (files) => {
    for (const one of files) {
      const bar = make("progress", { max: 1, value: 0, "aria-label": `sending ${one.name}` });
      const line = make("li", {}, one.name, bar);
      going.append(line);
      await attempt(() => upload(one, (share) => (bar.value = share)));
      line.remove();
      refreshSoon();
    }
  };
  chooser.addEventListener("change", async () => {
    await take([...chooser.files]);
    chooser.value = "";
  });
  for (const name of ["dragover", "dragleave", "drop"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.toggle("over", name === "dragover");
      if (name === "drop") take([...event.dataTransfer.files]);
    });
  }
  return zone;
}

const ALIGNERS = [["auto", "a face, the best way there is"], ["none", "the whole frame"], ["fan", "a face by 68 landmarks"], ["yunet", "a face by 5 points"], ["haar", "a face by a box"]];

/** One dropped clip: what it is to become. */
function clipEntry(name) {
  const stem = name.replace(/\.[^.]+$/, "");
  return make("div", { class: "clip", role: "group", "aria-label": name }, make("b", {}, name), extractForm([`upload:${name}`], stem),
    removeButton("uploads", name));
}

function extractForm(videos, stem) {
  const [domain, align, face] = [text(stem), choice(ALIGNERS, "auto"), text("largest")];
  const size = choice([["64", "64 px"], ["128", "128 px"], ["256", "256 px"], ["512", "512 px"]], "256");
  const wanted = () => ({ videos: typeof videos === "function" ? videos() : videos, name: domain.value.trim(), align: align.value, size: Number(size.value), face: face.value.trim() });
  const ask = (more, line) => attempt(async () => {
    await askFor("extract", { ...wanted(), ...more });
    note(line);
    refreshSoon();
  });
  const form = make("form", { class: "form" }, field("domain", domain), field("takes", align), field("follow", face, "largest, or a number of those in view"), field("size", size),
    make("div", { class: "controls" }, make("button", { type: "submit", class: "main" }, "Extract"),
      button("Who is in it?", () => ask({ people: true }, "Looking who is in it: the domain's page will show them."))));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask({}, "Asked for.");
  });
  return form;
}

/** A folder or an address instead of a dropped file. */
function pathForm() {
  const where = text("", { placeholder: "/home/me/clips or https://…" });
  const whole = extractForm(() => [where.value.trim()], "");
  return make("details", { "data-key": "path" }, make("summary", {}, "Or a file, a folder or an address that this machine reaches"), field("where", where), whole);
}
