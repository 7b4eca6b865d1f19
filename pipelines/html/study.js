/* One session of a study: pairs are shown, sides are chosen, answers are saved. The page knows what is real in the
   practice pairs only. */
const study = JSON.parse(byId("data").textContent);
const real = study.kind === "real";
const person = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const trials = [...study.practice, ...shuffled(study.pairs.map((pair, number) => ({ ...pair, number })))];
const answers = [];
let place = -1;
let open = false; // whether a choice is waited for
let saved = true;
let shownAt = 0;

byId("start").hidden = false;
byId("how").append(...instructions().map((line) => make("p", {}, line)));
byId("begin").addEventListener("click", next);
byId("choose-left").addEventListener("click", () => choose("left"));
byId("choose-right").addEventListener("click", () => choose("right"));
byId("next").addEventListener("click", next);
byId("again").addEventListener("click", showAgain);
document.addEventListener("keydown", key);
window.addEventListener("beforeunload", (event) => saved || event.preventDefault());
byId("begin").focus();
if (!crypto.subtle) trouble("Open this page from your disk, or by https: as it is, answers cannot be saved.");

function instructions() {
  const keys = "Choose with the buttons or the ← and → keys.";
  const many = `There are ${study.pairs.length} pairs. ${keys} At the end you save a file with your answers.`;
  if (!real) {
    return ["You see a clip, and below it two clips that were made from it by computer, in another look.",
      "Say which of the two is the better one: it looks more natural, and it moves as the clip above. You can see them again.", many];
  }
  return ["You see two clips side by side for a moment. One is real, the other was made by computer. Then they disappear: say which one was real.",
    `The first ${study.practice.length} pairs are for practice: you are told whether you were right. They do not count.`, many];
}

/** In random order, another for each session. */
function shuffled(list) {
  const order = crypto.getRandomValues(new Uint32Array(list.length));
  return list.map((item, number) => [order[number], item]).sort((one, other) => one[0] - other[0]).map(([, item]) => item);
}

function trouble(text) {
  byId("trouble").hidden = false;
  byId("trouble").textContent = text;
}

function next() {
  if (open) return;
  place += 1;
  if (place >= trials.length) finish();
  else show();
}

async function show() {
  const trial = trials[place];
  const practice = study.practice.length;
  byId("start").hidden = true;
  byId("trial").hidden = false;
  byId("next").hidden = byId("again").hidden = true;
  byId("told").textContent = "";
  byId("count").textContent = place < practice
    ? `Practice ${place + 1} of ${practice}` : `Pair ${place - practice + 1} of ${study.pairs.length}`;
  fill(byId("progress"), { value: place, max: trials.length }, []);
  byId("question").textContent = real ? "Which one is real?" : "Which one is better?";
  byId("question").focus();
  allow(false);
  const clips = ["left", "right", "source"].filter((name) => trial[name]);
  byId("source").hidden = !trial.source;
  for (const name of clips) {
    const video = make("video", { playsinline: true, preload: "auto", "aria-label": name });
    video.muted = true;
    video.addEventListener("error", () => trouble("This browser cannot play H.264 video; please use another one."));
    video.src = trial[name];
    byId(name).replaceChildren(video);
  }
  await playOnce();
  if (real) for (const name of clips) byId(name).classList.add("over");
  else byId("again").hidden = false;
  open = true;
  shownAt = performance.now();
  allow(true);
}

/** Starts all clips of the trial together; resolves when all are over. */
async function playOnce() {
  const videos = [...document.querySelectorAll("#trial video")];
  for (const video of videos) video.parentElement.classList.remove("over");
  await Promise.all(videos.map((video) => until(video, "canplaythrough", () => video.readyState === 4)));
  const over = Promise.all(videos.map((video) => until(video, "ended", () => video.error)));
  for (const video of videos) video.play().catch(() => trouble("The clips do not play here; please use another browser."));
  await over;
}

function until(video, event, already) {
  return new Promise((resolve) => {
    if (already()) resolve();
    else for (const name of [event, "error"]) video.addEventListener(name, resolve, { once: true });
  });
}

async function showAgain() {
  byId("again").disabled = true;
  await playOnce();
  byId("again").disabled = false;
}

function allow(wanted) {
  byId("choose-left").disabled = byId("choose-right").disabled = !wanted;
}

function choose(side) {
  if (!open) return;
  const trial = trials[place];
  open = false;
  allow(false);
  if (!trial.answer) {
    answers.push({ pair: trial.number, chosen: side, milliseconds: Math.round(performance.now() - shownAt) });
    saved = false;
    next();
    return;
  }
  const hit = side === trial.answer;
  byId("told").className = hit ? "right" : "wrong";
  byId("told").textContent = `${hit ? "Right" : "No"}: the ${trial.answer} one was real.`;
  for (const name of ["left", "right"]) byId(name).classList.remove("over");
  byId("next").hidden = false;
  byId("next").focus();
}

function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const side = { ArrowLeft: "left", ArrowRight: "right" }[event.key];
  if (!side || !open) return;
  event.preventDefault();
  choose(side);
}

async function finish() {
  byId("trial").hidden = true;
  byId("end").hidden = false;
  byId("thanks").focus();
  const lines = [study.study, person, ...answers.map((answer) => `${answer.pair} ${answer.chosen} ${answer.milliseconds}`)];
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(lines.join("\n")));
  const seal = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const content = JSON.stringify({ format: "retarget answers 1", study: study.study, person, answers, seal }, null, 1);
  const link = byId("save");
  link.href = URL.createObjectURL(new Blob([content], { type: "application/json" }));
  link.download = `answers-${person.slice(0, 8)}.json`;
  link.addEventListener("click", () => {
    saved = true;
    byId("saved").textContent = `Saved as ${link.download}, where your browser puts downloads.`;
  });
}
