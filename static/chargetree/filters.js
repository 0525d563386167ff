/* Filters with a script: a chosen site is asked for at once, Delete takes a filter away, and they fold to leave the list
   its room, on a phone from the start. Without it, each of these is a button or a link. */

const bar = document.getElementById("changelist-filter");
const phone = matchMedia("(max-width: 767px)");
const FOLDED = "chargetree.filtersFolded";

/* Only jQuery hears of what is chosen in such a select. */
const $ = window.django?.jQuery;
for (const form of document.querySelectorAll("form.within")) {
    $?.(form).find("select").on("select2:select", () => form.requestSubmit());
    if ($) form.querySelector("button").hidden = true;
    // What stands for the select is made by another script, and has no name.
    $?.(() => {
        const shown = form.querySelector(".select2-selection__rendered");
        if (shown) shown.ariaLabel = form.querySelector("label").textContent;
    });
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
    const adapt = () => setOpen(!phone.matches && !localStorage.getItem(FOLDED));
    fold.addEventListener("click", () => {
        setOpen(filters.hidden);
        if (phone.matches) return;
        if (filters.hidden) localStorage.setItem(FOLDED, "yes");
        else localStorage.removeItem(FOLDED);
    });
    phone.addEventListener("change", adapt);
    bar.classList.add("foldable");
    adapt();
}
