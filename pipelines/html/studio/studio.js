/* Which page stands at this address, and keeping it fresh. */
const PAGES = { "": homePage, domains: domainPage, runs: runPage, renders: resultPage };
const LEAST_MS = 700; // between two refreshes
const [, kind, ...rest] = location.pathname.split("/").map(decodeURIComponent);
const page = PAGES[kind](byId("main"), rest.join("/"));
let [refreshing, again, shownAt] = [false, false, 0];

async function refreshNow() {
  if (refreshing) {
    again = true;
    return;
  }
  refreshing = true;
  try {
    await page.refresh();
    document.body.dataset.ready = "true";
  } catch (error) {
    if (!document.body.dataset.ready) byId("main").append(make("p", { role: "alert" }, error.message));
  }
  [refreshing, shownAt] = [false, performance.now()];
  if (again) {
    again = false;
    setTimeout(refreshNow, LEAST_MS);
  }
}

function refreshSoon() {
  setTimeout(refreshNow, Math.max(0, LEAST_MS - (performance.now() - shownAt)));
}

const events = new EventSource("/events");
events.addEventListener("connected", () => {
  byId("lost").hidden = true;
  refreshSoon();
});
events.addEventListener("message", (event) => {
  if (page.follows(JSON.parse(event.data))) refreshSoon();
});
events.addEventListener("error", () => {
  if (events.readyState === EventSource.CLOSED) lost();
});
refreshNow();
