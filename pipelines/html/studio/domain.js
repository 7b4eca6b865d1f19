/* A domain: its clips, and the grid of its pictures. */
const PAGE = 200;

function domainPage(main, name) {
  document.title = `${name} · retarget studio`;
  const jobs = jobsList();
  const facts = make("p", { class: "quiet" });
  const people = make("div", {});
  const clips = make("div", { class: "clips" });
  const grid = gridPart(name);
  const sheet = make("div", {});
  main.append(make("p", { class: "overline" }, "domain"), make("h1", {}, name), facts, jobs, part("Who is in it", people), part("Pictures", grid), part("Clips", clips), part("Contact sheet", sheet));
  people.parentElement.hidden = true;
  const refresh = async () => {
    const [domain, home] = await Promise.all([get(path("api", "domains", name)), get("/api/home")]);
    showMachine(home.machine);
    jobs.show(home.jobs.filter((job) => job.about.domain === name));
    facts.textContent = domain.size === null ? "Begun: nothing is extracted yet." : `${domain.aligner === "none" ? "Whole frames" : `One followed face (${domain.aligner})`}, kept at ${domain.size} px.`;
    people.parentElement.hidden = !domain.people;
    renew(people, [domain.people, home.jobs.length], () => domain.people
      ? [make("img", { class: "sheet", src: `${file("domains", name, "people.jpg")}?${Date.now()}`, alt: "people of the clip, a row each, with their numbers" }),
        make("p", { class: "quiet" }, "Put the number of the one to follow into “follow” beside the clip on the first page, and extract.")] : []);
    renew(clips, domain.clips, () => domain.clips.map((clip) => clipOfDomain(name, clip)));
    renew(sheet, [domain.sheet, domain.clips], () => domain.sheet ? [make("img", { class: "sheet", loading: "lazy", src: `${file("domains", name, "contact-sheet.jpg")}?${Date.now()}`, alt: `contact sheet of ${name}` })] : []);
    if (domain.size !== null) await grid.load(domain.dropped);
  };
  return { refresh, follows: (changed) => changed.some((one) => one === "jobs" || one === `domain:${name}`) };
}

/** A clip with its crops beside it. */
function clipOfDomain(domain, clip) {
  const excluded = Object.entries(clip.excluded).map(([why, count]) => `${count} ${why}`).join(", ");
  const watch = make("details", { "data-key": `clip-${clip.clip}` }, make("summary", {}, "Play it with its pictures beside it"));
  watch.addEventListener("toggle", () => {
    if (watch.open && watch.children.length === 1) watch.append(flipbook(domain, clip));
  });
  return make("div", { class: "clip" }, make("b", {}, clip.file),
    make("span", { class: "quiet" }, `${shown(clip.kept)} of ${shown(clip.frames)} frames kept, ${clip.size.join(" × ")} px${excluded ? `; left out: ${excluded}` : ""}`), watch);
}

/** The video where the studio has it, and the picture of the frame that it shows. */
function flipbook(domain, clip) {
  const crop = make("img", { alt: `picture of ${clip.clip}`, class: "crop" });
  const told = make("p", { class: "quiet readout" });
  const [over, under] = clip.rate.split("/").map(Number);
  const rate = over / (under || 1) || 25;
  let [at, endings] = [0, ["jpg", "png"]]; // each picture is the one or the other; neighbours are mostly alike
  const look = (ending) => (crop.src = file("domains", domain, "frames", clip.clip, `${String(at + 1).padStart(6, "0")}.${ending}`));
  const show = (number) => {
    at = number;
    look(endings[0]);
    told.textContent = `frame ${number + 1}`;
  };
  crop.addEventListener("load", () => crop.src.endsWith(endings[1]) && endings.reverse());
  crop.addEventListener("error", () => {
    if (crop.src.endsWith(endings[0])) look(endings[1]);
    else told.textContent += ": not in the domain";
  });
  if (!clip.address) {
    const slider = make("input", { type: "range", min: 0, max: clip.frames - 1, value: 0, "aria-label": "frame" });
    slider.addEventListener("input", () => show(Number(slider.value)));
    show(0);
    return make("div", { class: "beside" }, crop, told, slider, make("p", { class: "quiet" }, "The video itself lies outside of the studio's folders, so only its pictures are shown."));
  }
  const video = make("video", { src: clip.address, controls: true, playsinline: true, preload: "metadata", "aria-label": clip.file });
  const follow = () => show(clamp(Math.floor(video.currentTime * rate + 0.001), 0, clip.frames - 1));
  video.addEventListener("timeupdate", follow);
  video.addEventListener("loadedmetadata", follow);
  return make("div", { class: "beside" }, video, crop, told);
}

/** The pictures, a page at a time: sorted, marked, dropped and taken back. */
function gridPart(name) {
  const state = { first: 0, of: 0, shown: null, last: null, marked: new Map() };
  const clip = choice([["", "all clips"]], "");
  const sort = choice([["", "as in time"]], "");
  const falling = tick(false);
  const told = make("span", { class: "readout", role: "status" });
  const [earlier, later] = [button("‹", () => turn(-PAGE), { "aria-label": "earlier pictures" }), button("›", () => turn(PAGE), { "aria-label": "later pictures" })];
  const dropButton = button("Drop", () => dropMarked(), { class: "main", id: "drop", disabled: true });
  const undoButton = button("Undo", () => undoLast(), { id: "undo", disabled: true });
  const cells = make("div", { class: "crops", role: "group", "aria-label": "pictures: space marks one, shift marks up to it, delete drops what is marked" });

  const load = async (dropped) => {
    const asked = new URLSearchParams({ clip: clip.value, sort: sort.value, falling: falling.checked, first: state.first, count: PAGE });
    const found = await get(`${path("api", "domains", name, "crops")}?${asked}`);
    if (state.first && state.first >= found.of) {
      state.first = Math.max(0, Math.floor((found.of - 1) / PAGE) * PAGE);
      return load(dropped);
    }
    if (dropped) state.dropped = dropped;
    [state.of, state.pictures] = [found.of, found.pictures];
    offer(clip, [["", "all clips"], ...found.clips.map((one) => [one, one])]);
    offer(sort, [["", "as in time"], ...found.sorts.map((one) => [one, one.replaceAll("_", " ")])]);
    renew(cells, found.pictures, () => found.pictures.map(cell));
    tell();
    return null;
  };
  const reload = () => attempt(() => load());
  const turn = (by) => {
    state.first = Math.max(0, state.first + by);
    reload();
  };
  for (const control of [clip, sort, falling]) {
    control.addEventListener("change", () => {
      state.first = 0;
      reload();
    });
  }
  const keyOf = ([one, number]) => `${one}/${number}`;

  function cell(picture, place) {
    const [of, number, split, value, named] = picture;
    const key = keyOf(picture);
    const caption = value === null ? `${number + 1}` : `${number + 1}: ${round(value)}`;
    const image = make("img", { loading: "lazy", decoding: "async", alt: "", src: file("domains", name, "frames", of, named) });
    return make("button", {
      type: "button", class: `crop-cell ${split}`, "aria-pressed": String(state.marked.has(key)), "data-key": key, "data-place": place,
      "aria-label": `${of}, frame ${number + 1}${value === null ? "" : `, ${sort.value} ${round(value)}`}${split === "test" ? ", held out" : ""}`,
      onclick: (event) => mark(place, event.shiftKey),
    }, image, make("span", {}, caption));
  }

  function mark(place, upTo) {
    const range = upTo && state.last !== null ? [Math.min(state.last, place), Math.max(state.last, place)] : [place, place];
    const on = !state.marked.has(keyOf(state.pictures[place]));
    for (let at = range[0]; at <= range[1]; at++) {
      const picture = state.pictures[at];
      if (on) state.marked.set(keyOf(picture), picture);
      else state.marked.delete(keyOf(picture));
      cells.children[at].setAttribute("aria-pressed", String(on));
    }
    state.last = place;
    tell();
  }

  function tell() {
    const end = Math.min(state.first + PAGE, state.of);
    told.textContent = state.of ? `${shown(state.first + 1)} to ${shown(end)} of ${shown(state.of)}` : "no pictures";
    [earlier.disabled, later.disabled] = [state.first === 0, end >= state.of];
    dropButton.disabled = !state.marked.size;
    dropButton.textContent = state.marked.size ? `Drop ${shown(state.marked.size)}` : "Drop";
    undoButton.disabled = !state.dropped?.length;
    undoButton.textContent = state.dropped?.length ? `Undo (${shown(state.dropped[0].pictures)} dropped)` : "Undo";
  }

  const dropMarked = () => attempt(async () => {
    const pictures = [...state.marked.values()].map(([of, number]) => [of, number]);
    await post(path("api", "domains", name, "drop"), { pictures });
    state.marked.clear();
    refreshSoon();
  });
  const undoLast = () => attempt(async () => {
    await post(path("api", "domains", name, "undo"), { id: state.dropped[0].id });
    refreshSoon();
  });

  cells.addEventListener("keydown", (event) => {
    const at = Number(event.target.closest("[data-place]")?.dataset.place ?? -1);
    if (at < 0) return;
    const columns = Math.max(1, Math.floor(cells.clientWidth / cells.children[0].offsetWidth));
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (by) cells.children[clamp(at + by, 0, cells.children.length - 1)].focus();
    else if (event.key === "Delete" && state.marked.size) dropMarked();
    else if (event.key === " " && event.shiftKey) mark(at, true);
    else return;
    event.preventDefault();
  });
  const whole = make("div", {},
    make("div", { class: "controls" }, field("clip", clip), field("sorted by", sort), make("label", {}, falling, "from the largest"), earlier, told, later, dropButton, undoButton), cells);
  whole.load = load;
  return whole;
}
