/* Filters: choosing a site submits at once, Delete removes a filter, and the bar collapses to leave room for the list,
   from the start on narrow windows. Without this script, each of these is a button or a link. */

const bar = document.getElementById("changelist-filter");
const phone = matchMedia("(max-width: 767px)");
const narrow = matchMedia("(max-width: 1439px)");
const FOLDED = "chargetree.filtersFolded";

/* select2 triggers jQuery events only. */
const $ = window.django?.jQuery;
for (const form of document.querySelectorAll("form.within")) {
    $?.(form).find("select").on("select2:select", () => form.requestSubmit());
    if ($) form.querySelector("button").hidden = true;
}

document.querySelector(".active-filters")?.addEventListener("keydown", (event) => {
    if (event.key !== "Delete" && event.key !== "Backspace") return;
    const link = event.target.closest("a");
    if (!link) return;
    event.preventDefault();
    link.click();
});

if (bar) {
    const filters = document.getElementById("changelist-filters");
    const fold = document.createElement("button");
    fold.type = "button";
    fold.className = "fold";
    fold.textContent = bar.dataset.fold;
    fold.setAttribute("aria-controls", filters.id);
    bar.prepend(fold);

    const setOpen = (isOpen) => {
        filters.hidden = !isOpen;
        fold.ariaExpanded = String(isOpen);
        bar.classList.toggle("folded", !isOpen);
    };
    const isWanted = () => {
        const chosen = localStorage.getItem(FOLDED);
        return chosen ? chosen === "no" : !narrow.matches;
    };
    const adapt = () => setOpen(!phone.matches && isWanted());
    fold.addEventListener("click", () => {
        setOpen(filters.hidden);
        if (!phone.matches) localStorage.setItem(FOLDED, filters.hidden ? "yes" : "no");
    });
    for (const one of [phone, narrow]) one.addEventListener("change", adapt);
    bar.classList.add("foldable");
    adapt();
}
