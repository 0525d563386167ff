/* The tree of sites: branches expand in place, arrow keys navigate, and dropping a site on another opens the preview of
   the move. Without this script, each of these is a link. */

const tree = document.getElementById("tree");
const LINE = ".line";
const TYPING_MS = 700;
const OPEN_WHILE_DRAGGING_MS = 700;

const itemOf = (element) => element.closest("li");
const idOf = (item) => item.id.replace("site-", "");
const toggleOf = (item) => item.querySelector(":scope > .line > .toggle");
const isOpen = (item) => toggleOf(item)?.ariaExpanded === "true";
const nameOf = (item) => item.querySelector(":scope > .line .name, :scope > a");

/* Branches */

function remember(id, isNowOpen) {
    if ("found" in tree.dataset) return;
    const { cookie, address, most } = tree.dataset;
    const known = document.cookie.split("; ").find((one) => one.startsWith(`${cookie}=`)) ?? "";
    const ids = new Set(known.slice(cookie.length + 1).split("-").filter(Boolean));
    ids.delete(id);
    if (isNowOpen) ids.add(id);
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${cookie}=${[...ids].slice(-most).join("-")}; Path=${address}; SameSite=Lax${secure}`;
}

async function fetched(link, id, page) {
    const answer = await fetch(`${tree.dataset.address}${id ? `${id}/` : ""}children/?p=${page}`).catch(() => null);
    if (!answer?.ok || answer.redirected) {
        // Signed out, offline, or the site was deleted: let the page itself report it.
        location.assign(link.href);
        return null;
    }
    const content = document.createElement("template");
    content.innerHTML = await answer.text();
    for (const item of content.content.querySelectorAll(":scope > li[id]")) {
        if (document.getElementById(item.id)) item.remove();
    }
    prepare(content.content);
    return content.content;
}

async function setOpen(item, open) {
    const toggle = toggleOf(item);
    if (!toggle || isOpen(item) === open || toggle.ariaBusy === "true") return;
    let branch = item.querySelector(":scope > ul");
    if (!branch) {
        toggle.ariaBusy = "true";
        const lines = await fetched(toggle, idOf(item), 1);
        toggle.ariaBusy = "false";
        if (!lines) return;
        branch = document.createElement("ul");
        branch.append(lines);
        item.append(branch);
    }
    branch.hidden = !open;
    toggle.ariaExpanded = String(open);
    remember(idOf(item), open);
}

async function showMore(link) {
    const item = itemOf(link);
    const above = item.parentElement.closest("li");
    const query = new URLSearchParams(link.search);
    const lines = await fetched(link, query.get("at") ?? (above ? idOf(above) : ""), query.get("p"));
    if (!lines) return;
    const first = lines.firstElementChild;
    item.replaceWith(lines);
    if (first) goTo(first);
}

tree.addEventListener("click", (event) => {
    const link = event.target.closest(".toggle, .more > a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.matches(".toggle")) setOpen(itemOf(link), !isOpen(itemOf(link)));
    else showMore(link);
});

/* Keyboard: roving tabindex, with arrow keys and type-ahead */

let typed = "";
let typedAt = 0;

function prepare(part) {
    for (const link of part.querySelectorAll("a")) link.tabIndex = -1;
    for (const line of part.querySelectorAll(LINE)) line.draggable = Boolean(line.querySelector(".move"));
}

function enter(item) {
    for (const link of tree.querySelectorAll('a[tabindex="0"]')) link.tabIndex = -1;
    for (const link of item.querySelectorAll(":scope > a, :scope > .line a")) link.tabIndex = 0;
}

function goTo(item) {
    if (!item) return;
    enter(item);
    nameOf(item).focus();
}

function walk(key, item) {
    const items = [...tree.querySelectorAll("li")].filter((one) => one.offsetParent);
    const here = items.indexOf(item);
    switch (key) {
        case "ArrowDown": return items[here + 1];
        case "ArrowUp": return items[here - 1];
        case "Home": return items[0];
        case "End": return items.at(-1);
        case "ArrowRight":
            if (isOpen(item)) return item.querySelector(":scope > ul > li");
            setOpen(item, true);
            return item;
        case "ArrowLeft":
            if (!isOpen(item)) return item.parentElement.closest("li");
            setOpen(item, false);
            return item;
    }
    const now = Date.now();
    typed = now - typedAt > TYPING_MS ? key : typed + key;
    typedAt = now;
    const text = typed.toLowerCase();
    // The same letter again goes to the next match; more letters include the current one.
    const from = [...text].every((letter) => letter === text[0]) ? here + 1 : here;
    const wanted = from > here ? text[0] : text;
    return [...items.slice(from), ...items.slice(0, from)].find((one) =>
        nameOf(one).textContent.trim().toLowerCase().startsWith(wanted),
    );
}

tree.addEventListener("keydown", (event) => {
    const item = itemOf(event.target);
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && Date.now() - typedAt > TYPING_MS) {
        if (!event.target.matches(".toggle")) return;
        event.preventDefault();
        event.target.click();
        return;
    }
    const keys = ["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "Home", "End"];
    if (!keys.includes(event.key) && event.key.length > 1) return;
    event.preventDefault();
    goTo(walk(event.key, item));
});

tree.addEventListener("focusin", (event) => {
    const item = itemOf(event.target);
    if (item) enter(item);
});

/* Drag and drop: leads to the same preview as the form */

let dragged = null;
let over = null;
let timer = 0;

const canDropOn = (item) => item && item.id && !dragged.contains(item) && dragged.parentElement.closest("li") !== item;

function hover(target) {
    if (target === over) return;
    clearTimeout(timer);
    over?.classList.remove("drop");
    over = target;
    over?.classList.add("drop");
    const item = over?.matches(LINE) ? itemOf(over) : null;
    if (item) timer = setTimeout(() => setOpen(item, true), OPEN_WHILE_DRAGGING_MS);
}

function targetOf(event) {
    const top = event.target.closest?.("#tree-top");
    if (top) return top;
    const line = event.target.closest?.(LINE);
    return line && canDropOn(itemOf(line)) ? line : null;
}

tree.addEventListener("dragstart", (event) => {
    const line = event.target.closest?.(LINE);
    if (!line?.draggable) return;
    dragged = itemOf(line);
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", nameOf(dragged).textContent);
    event.dataTransfer.setDragImage(line, 24, line.offsetHeight / 2);
    // Changing the DOM synchronously would cancel the drag.
    setTimeout(() => {
        dragged?.classList.add("dragged");
        const top = document.getElementById("tree-top");
        if (top && dragged) top.hidden = !dragged.parentElement.closest("li") && !new URLSearchParams(location.search).has("at");
    });
});

tree.addEventListener("dragover", (event) => {
    if (!dragged) return;
    const target = targetOf(event);
    hover(target);
    if (target) event.preventDefault();
});

tree.addEventListener("drop", (event) => {
    const target = dragged && targetOf(event);
    if (!target) return;
    event.preventDefault();
    const to = target.id === "tree-top" ? "top" : idOf(itemOf(target));
    location.assign(`${dragged.querySelector(":scope > .line > .move").href}?to=${to}`);
});

tree.addEventListener("dragend", () => {
    hover(null);
    dragged?.classList.remove("dragged");
    dragged = null;
    const top = document.getElementById("tree-top");
    if (top) top.hidden = true;
});

prepare(tree);
document.getElementById("tree-keys").hidden = false;
const asked = location.hash && document.getElementById(location.hash.slice(1));
if (asked && tree.contains(asked)) goTo(asked);
else enter(tree.querySelector("li"));
