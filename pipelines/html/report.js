/* Puts the page's data on the page. */
const page = JSON.parse(byId("data").textContent);

showHeader();
if (page.evaluation) showEvaluation(page.evaluation);
else byId("measures-body").append(make("p", {}, "Not measured yet. Run: ", make("code", {}, page.evaluate_command)));
if (page.samples.length) showSamples(page.samples);
if (page.selection) showSelection(page.selection);
if (page.curves) showCurves(page.curves);
showTraining();
byId("parts").append(...[...document.querySelectorAll("section:not([hidden])")].map((section) =>
  make("a", { href: `#${section.id}` }, section.dataset.part)));

function showHeader() {
  byId("title").textContent = page.title;
  byId("headline").textContent = page.headline;
  byId("measured").textContent = page.measured;
  byId("made").textContent = page.made;
}

function showEvaluation(evaluation) {
  fill(byId("measures-body"), {}, [measuresTable(evaluation), missingMeasures(evaluation)]);
  if (evaluation.parameters) {
    byId("parameters").hidden = false;
    byId("parameters-body").append(parametersTable(evaluation.parameters));
  }
  if (evaluation.labels) {
    const { labels } = evaluation;
    byId("confusion").hidden = false;
    byId("confusion-about").textContent =
      `Rows are the true classes, columns what was found in their place, in % of the row's pixels.${labels.void ? ` “${labels.void}” is left out.` : ""}`;
    byId("confusion-body").append(confusionTable(labels));
  }
  if (page.players.length) showPlayers(evaluation);
}

function showPlayers(evaluation) {
  byId("watch").hidden = false;
  const videos = page.players.map((player) => {
    const video = make("video", { muted: true, playsinline: true, preload: "auto", "aria-label": player.title, "data-kind": player.kind });
    video.muted = true;
    video.addEventListener("error", () => {
      byId("trouble").hidden = false;
      byId("trouble").textContent = "This browser cannot play H.264 video; another one will.";
    });
    video.src = player.video;
    byId("players").append(make("figure", {}, video, make("figcaption", {}, make("b", {}, player.title), make("span", { class: "quiet" }, player.about))));
    return video;
  });
  const seek = byId("seek");
  seek.max = page.times.length - 1;
  const strip = Object.keys(evaluation.per_frame ?? {}).length ? showStrip(evaluation, (frame) => lockstep.seek(frame)) : null;
  const lockstep = new Lockstep(videos, page.times, (frame, playing) => {
    const seconds = page.times[frame];
    byId("play").textContent = playing ? "Pause" : "Play";
    seek.value = frame;
    seek.setAttribute("aria-valuetext", `frame ${frame}, ${clock(seconds)}`);
    byId("now").textContent = `frame ${shown(frame)} of ${shown(page.times.length - 1)}, at ${clock(seconds)}`;
    if (strip) byId("value").textContent = strip.mark(frame, seconds);
  });
  byId("which").addEventListener("change", () => lockstep.onChange(lockstep.frame, lockstep.playing));
  byId("play").addEventListener("click", () => lockstep.toggle());
  byId("back").addEventListener("click", () => lockstep.step(-1));
  byId("forth").addEventListener("click", () => lockstep.step(1));
  byId("speed").addEventListener("change", (event) => lockstep.setSpeed(Number(event.target.value)));
  seek.addEventListener("input", () => lockstep.seek(Number(seek.value)));
  byId("sound").hidden = !page.sound;
  byId("sound").addEventListener("click", () => {
    videos[0].muted = !videos[0].muted;
    byId("sound").setAttribute("aria-pressed", String(!videos[0].muted));
    byId("sound").textContent = videos[0].muted ? "Sound" : "Sound off";
  });
  document.addEventListener("keydown", (event) => playerKey(event, lockstep));
  lockstep.seek(0);
  followLinks(lockstep);
}

function showStrip(evaluation, onSeek) {
  byId("errors").hidden = false;
  const strip = new Strip(byId("strip"), evaluation, page.times.length, onSeek);
  const which = byId("which");
  const titles = Object.fromEntries(evaluation.measures.map((measure) => [measure.name, measure.title]));
  which.append(...Object.keys(evaluation.per_frame).map((name) => make("option", { value: name }, titles[name] ?? name)));
  const choose = () => {
    const [best, worst] = strip.choose(which.value).map((value) => amount(value, strip.measure));
    byId("scale").textContent = best === worst ? `${best} in every frame` : `taller is worse: ${best} at the bottom, ${worst} at the top; red: the worst moments`;
  };
  which.addEventListener("change", choose);
  choose();
  return strip;
}

/** Keys act on the players wherever the focus is, but for what has its own use for them. */
function playerKey(event, lockstep) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const target = event.target;
  if (target.closest("select, .curve svg, pre, .scroll, #sample")) return;
  const second = Math.max(1, Math.round(1 / lockstep.frameSeconds));
  const frames = { ArrowLeft: event.shiftKey ? -second : -1, ArrowRight: event.shiftKey ? second : 1, ",": -1, ".": 1 }[event.key];
  if (frames) {
    event.preventDefault();
    lockstep.step(frames);
  } else if (event.key === " " && !target.closest("button, a, summary") && inSight(byId("watch"))) {
    event.preventDefault();
    lockstep.toggle();
  }
}

/** Elsewhere on the page the space bar scrolls, as it always does. */
function inSight(element) {
  const box = element.getBoundingClientRect();
  return box.bottom > 0 && box.top < window.innerHeight;
}

/** #frame=N leads to that moment, from the table and from an address that somebody passed on. */
function followLinks(lockstep) {
  const follow = (hash) => {
    const found = /^#frame=(\d+)$/.exec(hash);
    if (!found) return;
    lockstep.pause();
    lockstep.seek(Number(found[1]));
    byId("watch").scrollIntoView();
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.moment");
    if (!link) return;
    event.preventDefault();
    history.replaceState(null, "", link.hash);
    follow(link.hash);
  });
  window.addEventListener("hashchange", () => follow(location.hash));
  follow(location.hash);
}

function showSamples(samples) {
  byId("samples").hidden = false;
  const slider = byId("sample");
  slider.max = samples.length - 1;
  byId("scrub").hidden = samples.length < 2;
  const show = (number) => {
    const place = clamp(number, 0, samples.length - 1);
    const sample = samples[place];
    slider.value = place;
    const text = `step ${shown(sample.step)}`;
    slider.setAttribute("aria-valuetext", text);
    byId("sample-step").textContent = text;
    fill(byId("sheet"), { src: sample.picture, width: sample.size[0], height: sample.size[1], alt: `sample sheet at ${text}` }, []);
    byId("earlier").disabled = place === 0;
    byId("later").disabled = place === samples.length - 1;
  };
  slider.addEventListener("input", () => show(Number(slider.value)));
  byId("earlier").addEventListener("click", () => show(Number(slider.value) - 1));
  byId("later").addEventListener("click", () => show(Number(slider.value) + 1));
  show(samples.length - 1);
}

function showCurves(curves) {
  byId("curves").hidden = false;
  byId("curves-about").textContent =
    `${curves.about} Point at a chart, or focus it and use the arrow keys, for values; click a name to hide its line.`;
  byId("curves-body").append(...curves.charts.map((chart) => new Chart(chart).element));
}

function showSelection(selection) {
  byId("selection").hidden = false;
  byId("selection-about").textContent = selection.about;
  byId("selection-body").append(new Chart(selection.chart).element);
}

function showTraining() {
  byId("domains").append(...page.domains.map((domain) =>
    make("figure", {},
      make("figcaption", {}, make("h3", {}, domain.title), make("p", { class: "quiet" }, domain.about)),
      domain.picture ? make("img", { src: domain.picture, alt: `contact sheet of ${domain.name}` }) : null)));
  byId("settings").append(...page.settings.flatMap(([term, words]) => [make("dt", {}, term), make("dd", {}, words)]));
  byId("config").textContent = JSON.stringify(page.config, null, 1);
}
