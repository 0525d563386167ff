/* The page of a charger: keeps its status up to date, answers whether a tag may charge without leaving the page, and
   shows the charger's location on a map. The page works without this script, too. */

const { L, leafletMap } = window;
// Milliseconds between two status requests.
const EVERY = 15_000;
// Pixels that an arrow key moves the marker, without and with Shift.
const STEP = 2;
const STRIDE = 20;
// Of a degree: a tenth of a metre.
const DIGITS = 6;

const live = document.getElementById("charger-live");
const question = document.querySelector("form.ask");
const box = document.getElementById("location-map");

if (live) follow(live, document.getElementById("charger-live-note"), document.getElementById("charger-live-words"));
if (question) question.addEventListener("submit", ask);
if (box && L) locate();

function follow(shown, note, words) {
    let timer = 0;
    let isGone = false;
    let html = "";

    async function look() {
        try {
            const response = await fetch(shown.dataset.url, { headers: { Accept: "application/json" } });
            // The charger was deleted or the session has ended: retrying will not help.
            isGone = response.redirected || response.status === 404 || response.status === 403;
            if (!response.ok || isGone) throw new Error(String(response.status));
            const found = await response.json();
            // Announce status changes, not the passing of time.
            if (shown.dataset.words !== found.words) words.textContent = found.words;
            shown.dataset.words = found.words;
            if (html !== found.html) show(found.html);
            note.textContent = "";
        } catch {
            note.textContent = isGone ? shown.dataset.textGone : shown.dataset.textStale;
        }
    }

    function show(found) {
        const focused = shown.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
        html = found;
        shown.innerHTML = found;
        if (focused) [...shown.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
    }

    function schedule() {
        clearTimeout(timer);
        if (document.hidden || isGone) return;
        timer = setTimeout(async () => {
            await look();
            schedule();
        }, EVERY);
    }

    document.addEventListener("visibilitychange", async () => {
        clearTimeout(timer);
        if (!document.hidden && !isGone) {
            await look();
            schedule();
        }
    });
    schedule();
}

async function ask(event) {
    event.preventDefault();
    const form = event.target;
    const address = `${form.action}?${new URLSearchParams(new FormData(form))}`;
    const answer = document.getElementById(form.dataset.answer);
    try {
        const response = await fetch(address);
        if (!response.ok || response.redirected) throw new Error(String(response.status));
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        answer.replaceChildren(...page.getElementById(form.dataset.answer).childNodes);
    } catch {
        // The page itself shows the error.
        location.assign(address);
    }
}

function locate() {
    const latitude = document.getElementById("id_latitude");
    const longitude = document.getElementById("id_longitude");
    const row = document.querySelector(".form-row.field-latitude");
    const mayMove = Boolean(latitude && longitude);
    const neighbours = JSON.parse(box.dataset.neighbours);
    if (!row || (!mayMove && !box.dataset.latitude)) return;

    row.after(box);
    box.hidden = false;
    const note = document.getElementById("location-note");
    const map = leafletMap(box, box.querySelector(".location-view"));
    for (const [name, ...place] of neighbours) {
        L.circleMarker(place, { className: "neighbour", radius: 5 }).bindTooltip(escaped(name)).addTo(map);
    }

    const start = typed();
    if (start) map.setView(start, 17);
    else if (neighbours.length) map.fitBounds(neighbours.map(([, ...place]) => place), { maxZoom: 17, padding: [40, 40] });
    else map.setView([48, 10], 4);

    let pin = null;
    mark(start);
    if (!mayMove) return;
    map.on("click", (event) => write(event.latlng));
    for (const field of [latitude, longitude]) {
        field.addEventListener("input", () => {
            const place = typed();
            mark(place);
            if (place && !map.getBounds().contains(place)) map.setView(place);
        });
    }

    /* The coordinates in the fields, or null if they are empty or invalid. */
    function typed() {
        const texts = mayMove ? [latitude.value, longitude.value] : [box.dataset.latitude, box.dataset.longitude];
        const [north, east] = texts.map((text) => (text.trim() ? Number(text.replace(",", ".")) : NaN));
        return Math.abs(north) <= 90 && Math.abs(east) <= 180 ? L.latLng(north, east) : null;
    }

    function write(at) {
        const place = at.wrap();
        latitude.value = Math.max(-90, Math.min(90, place.lat)).toFixed(DIGITS);
        longitude.value = place.lng.toFixed(DIGITS);
        mark(typed());
        // Notify listeners as if the value had been typed.
        for (const field of [latitude, longitude]) field.dispatchEvent(new Event("change", { bubbles: true }));
    }

    function mark(place) {
        note.textContent = !mayMove ? "" : place ? box.dataset.textMove : box.dataset.textPlace;
        if (!place) {
            pin?.remove();
            pin = null;
        } else if (pin) {
            pin.setLatLng(place);
        } else {
            const icon = L.divIcon({ className: "location-pin", iconSize: [30, 30], iconAnchor: [15, 30] });
            pin = L.marker(place, { draggable: mayMove, icon, keyboard: mayMove, title: mayMove ? box.dataset.textMarker : "" });
            pin.addTo(map);
            if (!mayMove) return;
            pin.on("dragend", () => write(pin.getLatLng()));
            pin.getElement().addEventListener("keydown", step);
            pin.getElement().ariaLabel = box.dataset.textMarker;
        }
    }

    function step(event) {
        const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
        if ((!x && !y) || event.altKey || event.ctrlKey || event.metaKey) return;
        // Otherwise the map itself would pan.
        event.preventDefault();
        event.stopPropagation();
        const length = event.shiftKey ? STRIDE : STEP;
        const point = map.latLngToContainerPoint(pin.getLatLng()).add([x * length, y * length]);
        write(map.containerPointToLatLng(point));
        if (!map.getBounds().pad(-0.05).contains(pin.getLatLng())) map.panTo(pin.getLatLng());
    }
}

/* Leaflet treats strings as HTML. */
function escaped(text) {
    const made = document.createElement("span");
    made.textContent = text;
    return made;
}
