/* The search box: the / key focuses it, and suggestions appear while typing. Without this script, the form opens the
   page of results. */

const form = document.getElementById("find");
const PAUSE_MS = 160;
const FROM_LETTERS = 2;

function made(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
}

/* The parts of a text, with the matches marked. */
const pieces = (parts) => parts.map(([text, isMatch]) => (isMatch ? made("mark", {}, text) : text));

if (form) {
    const input = form.querySelector("input");
    const status = document.getElementById("find-count");
    const list = made("div", { id: "find-list", role: "listbox", hidden: true });
    list.ariaLabel = input.labels[0].textContent;
    form.append(list);
    input.role = "combobox";
    input.ariaExpanded = "false";
    input.ariaAutoComplete = "list";
    input.setAttribute("aria-controls", list.id);

    let timer = 0;
    let asking = null;
    let shownFor = "";

    const options = () => [...list.querySelectorAll('[role="option"]')];
    const active = () => list.querySelector('[aria-selected="true"]');

    function show(isOpen) {
        list.hidden = !isOpen;
        input.ariaExpanded = String(isOpen);
        if (!isOpen) select(null);
    }

    function select(option) {
        active()?.setAttribute("aria-selected", "false");
        option?.setAttribute("aria-selected", "true");
        option?.scrollIntoView({ block: "nearest" });
        if (option) input.setAttribute("aria-activedescendant", option.id);
        else input.removeAttribute("aria-activedescendant");
    }

    function option(number, href, ...children) {
        const link = made("a", { id: `find-${number}`, href, tabIndex: -1, role: "option" }, ...children);
        link.ariaSelected = "false";
        return link;
    }

    function lineOf(hit, number) {
        const why = hit.reasons.map(({ label, parts }) =>
            made("span", { className: "why" }, `${label}: `, ...pieces(parts)),
        );
        const where = hit.place ? [made("span", { className: "where" }, hit.place)] : [];
        return option(number, hit.url, made("span", { className: "title" }, ...pieces(hit.title)), ...where, ...why);
    }

    function fill(groups, text) {
        let number = 0;
        const kinds = groups.map((group, index) => {
            const heading = made("div", { className: "kind", id: `find-kind-${index}` }, `${group.label} ${group.total}`);
            const part = made("div", { role: "group" }, heading, ...group.hits.map((hit) => lineOf(hit, ++number)));
            part.setAttribute("aria-labelledby", heading.id);
            return part;
        });
        const said = groups.length ? form.dataset.all.replace("%s", () => text) : form.dataset.none;
        const all = option(++number, `${form.action}?${new URLSearchParams({ q: text })}`, said);
        all.classList.add("all");
        list.replaceChildren(...kinds, all);
        status.textContent = groups.length ? form.dataset.some.replace("%s", number - 1) : form.dataset.none;
        shownFor = text;
        show(true);
    }

    async function suggest() {
        asking?.abort();
        const text = input.value.trim();
        if (text.length < FROM_LETTERS) {
            shownFor = status.textContent = "";
            show(false);
            return;
        }
        if (text === shownFor) {
            show(true);
            return;
        }
        asking = new AbortController();
        const address = `${form.dataset.suggestions}?${new URLSearchParams({ q: text })}`;
        try {
            const answer = await fetch(address, { signal: asking.signal });
            // Signed out: let the page itself report it.
            if (!answer.ok || answer.redirected) return;
            const { groups } = await answer.json();
            if (document.activeElement === input) fill(groups, text);
        } catch {
            // Aborted by a newer request, or offline: Enter still opens the results page.
        }
    }

    input.addEventListener("input", () => {
        clearTimeout(timer);
        timer = setTimeout(suggest, PAUSE_MS);
    });

    input.addEventListener("keydown", (event) => {
        if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
        const all = options();
        const here = all.indexOf(active());
        switch (event.key) {
            case "ArrowDown":
            case "ArrowUp": {
                event.preventDefault();
                if (list.hidden) {
                    suggest();
                    return;
                }
                // The box itself comes between the last and the first option.
                const step = event.key === "ArrowDown" ? 1 : -1;
                const next = (here + 1 + step + all.length + 1) % (all.length + 1);
                select(next ? all[next - 1] : null);
                return;
            }
            case "Enter":
                clearTimeout(timer);
                if (list.hidden || here < 0) return;
                event.preventDefault();
                all[here].click();
                return;
            case "Escape":
                event.preventDefault();
                clearTimeout(timer);
                if (list.hidden) input.blur();
                else show(false);
        }
    });

    // Keep the focus in the box when an option is pressed.
    list.addEventListener("mousedown", (event) => event.preventDefault());
    form.addEventListener("focusout", (event) => {
        if (!form.contains(event.relatedTarget)) show(false);
    });
    form.addEventListener("submit", (event) => {
        if (!input.value.trim()) event.preventDefault();
    });

    document.addEventListener("keydown", (event) => {
        if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
        if (event.target.closest?.('input:not([type="checkbox"], [type="radio"], [type="submit"]), textarea, select, [contenteditable]')) return;
        event.preventDefault();
        input.focus();
        input.select();
    });
}
