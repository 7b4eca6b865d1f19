/* What is running, queued, done, failed and why. */
const STATES = { running: "running", stopping: "saves and stops", queued: "waits", done: "done", failed: "failed", stopped: "stopped", "broken off": "broken off" };

const isOver = (job) => ["done", "failed", "stopped", "broken off"].includes(job.state);

/** The words of a command without the folders that everybody has. */
function jobTitle(job) {
  const plain = job.words.slice(1).filter((word) => !/^--(domains|runs|run|output|renders)[=]/.test(word));
  const names = plain.map((word) => (word.startsWith("-") ? word : word.split("/").at(-1)));
  const run = job.about.run && job.words[0] !== "train" ? [job.about.run] : [];
  return [job.words[0], ...run, ...names].join(" ");
}

/** A list that is filled by `show`. */
function jobsList() {
  const list = make("ul", { class: "jobs" });
  list.show = (all, elsewhere = []) => {
    const jobs = all.filter((job) => job.state !== "done" || !job.words.some((word) => word.startsWith("--preview=") || word === "--measure")); // these show themselves
    const told = jobs.map((job) => ({ ...job, progress: null }));
    renew(list, [told, elsewhere], () => [...elsewhere.map(elsewhereEntry), ...jobs.map(jobEntry)]);
    for (const job of jobs) {
      const entry = [...list.children].find((one) => one.dataset.job === job.id);
      if (entry && job.progress) showProgress(entry, job.progress);
    }
  };
  return list;
}

function elsewhereEntry(command) {
  return make("li", { class: "job running" }, make("span", { class: "state" }, "running"),
    make("b", {}, jobTitle({ words: command.words, about: {} })), make("span", { class: "quiet" }, "begun in a terminal"));
}

function jobEntry(job) {
  const wish = (what) => async () => {
    await attempt(() => post(path("api", "jobs", job.id, what)));
    refreshSoon();
  };
  const key = (what, label) => ({ "data-key": `${what}-${job.id}`, "aria-label": `${label}: ${jobTitle(job)}` });
  const stop = job.state === "queued" ? "Cancel" : "Stop";
  const log = make("details", { "data-key": `log-${job.id}` }, make("summary", {}, "What it says"), make("pre", { tabindex: 0 }));
  log.addEventListener("toggle", () => log.open && showLog(job.id, log));
  return make("li", { class: `job ${job.state.replace(" ", "-")}`, "data-job": job.id, "data-state": job.state },
    make("span", { class: "state" }, STATES[job.state]),
    make("b", {}, jobTitle(job)),
    isOver(job) ? make("span", { class: "quiet" }, ago(job.ended ?? job.at)) : null,
    make("span", { class: "does" },
      isOver(job) ? null : button(stop, wish("stop"), { disabled: job.state === "stopping", ...key("stop", stop) }),
      ["stopped", "failed", "broken off"].includes(job.state) ? button("Go on", wish("again"), key("again", "Go on")) : null,
      isOver(job) ? button("×", wish("forget"), { class: "plain", ...key("forget", "Take off the list") }) : null),
    job.state === "running" || job.state === "stopping" ? progressOf(job) : null,
    job.why ? make("p", { class: "why" }, job.why) : null,
    job.state === "done" && job.about.page ? make("a", { href: path("pages", ...job.about.page.split("/")), target: "_blank", rel: "noopener", "data-key": `page-${job.id}` }, "Open its page") : null,
    log);
}

function progressOf(job) {
  const bar = make("progress", { max: 1, "aria-label": `progress of ${jobTitle(job)}` });
  return make("div", { class: "progress" }, bar, make("span", { class: "quiet readout told" }));
}

function showProgress(entry, progress) {
  const bar = entry.querySelector("progress");
  if (!bar) return;
  bar.value = progress.share;
  entry.querySelector(".told").textContent = progress.told;
}

async function showLog(id, details) {
  const job = await attempt(() => get(path("api", "jobs", id)));
  if (!job) return;
  details.querySelector("pre").textContent = job.log || "nothing yet";
  if (details.open && !isOver(job)) setTimeout(() => details.isConnected && details.open && showLog(id, details), 1500);
}
