/* What the pages ask of the server. Every change carries the page's token. */
const TOKEN = document.querySelector('meta[name="token"]').content;

async function answered(response) {
  const text = await response.text();
  let content = {};
  try {
    content = JSON.parse(text);
  } catch {
    content = { error: text.trim() };
  }
  if (response.status === 401) lost();
  if (!response.ok) throw new Error(content.error || `the studio answered ${response.status}`);
  return content;
}

const get = async (address) => answered(await fetch(address));

const post = async (address, content = {}) =>
  answered(await fetch(address, {
    method: "POST",
    headers: { "content-type": "application/json", "x-studio-token": TOKEN },
    body: JSON.stringify(content),
  }));

/** Sends a file; onPart is given the part that is there. Resolves to its name on the server. */
function upload(file, onPart) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/api/uploads?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("x-studio-token", TOKEN);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.addEventListener("progress", (event) => onPart(event.total ? event.loaded / event.total : 0));
    request.addEventListener("load", () => {
      let content = {};
      try {
        content = JSON.parse(request.responseText);
      } catch {
        content = { error: request.responseText.trim() };
      }
      if (request.status === 200) resolve(content.name);
      else reject(new Error(content.error || `the studio answered ${request.status}`));
    });
    request.addEventListener("error", () => reject(new Error(`${file.name}: the connection broke off`)));
    request.send(file);
  });
}

const askFor = (command, options) => post("/api/jobs", { command, options });

/** A line that tells what happened, with a way back where there is one. */
function note(text, undo = null) {
  const line = make("p", { class: "note" }, text);
  if (undo) {
    line.append(make("button", { type: "button", onclick: () => {
      line.remove();
      attempt(undo);
    } }, "Undo"));
  }
  line.append(make("button", { type: "button", class: "plain", "aria-label": "close this line", onclick: () => line.remove() }, "×"));
  byId("notes").append(line);
  setTimeout(() => line.remove(), undo ? 60_000 : 12_000);
}

/** Does what may fail, and says why where it does. */
async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    note(error.message);
    return null;
  }
}

function lost() {
  byId("lost").hidden = false;
  byId("lost").textContent = "The studio was closed or started anew. What it started goes on; open the address that retarget studio prints.";
}

/** Puts something into the trash, and says so with the way back. */
async function putAway(kind, name, then) {
  const done = await attempt(() => post("/api/remove", { kind, name }));
  if (!done) return;
  then();
  note(`${name} is in the trash.`, async () => {
    await post("/api/restore", { kind, id: done.id });
    then();
  });
}
