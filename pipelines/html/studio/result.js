/* A rendered clip. */
function resultPage(main, name) {
  document.title = `${name} · retarget studio`;
  const [watch, about] = [make("div"), make("p", { class: "quiet" })];
  const download = make("a", { href: `${file("renders", name)}?download`, download: name }, "Download");
  main.append(make("p", { class: "overline" }, "result"), make("h1", {}, name), part("Watch", watch), part("What it is", about,
    make("div", { class: "controls" }, download, button("Remove", () => putAway("renders", name, () => (location.href = "/"))))));
  const refresh = async () => {
    const [found, home] = await Promise.all([get(path("api", "renders", name)), get("/api/home")]);
    showMachine(home.machine);
    renew(watch, [found.players, found.changed], () => found.players ? [playersPart(found.players)] : [empty("A folder of pictures: look at them where they are.")]);
    about.textContent = [found.provenance, found.bytes === null ? "" : bytesShown(found.bytes)].filter(Boolean).join(" · ");
    download.hidden = found.bytes === null;
  };
  return { refresh, follows: (changed) => changed.includes("renders") };
}
