/* The map of chargers on the home page. The list beside it follows what the map shows. Leaflet draws it. Chargers close
   together form a cluster that shows how many are in which state. */

const { L, leafletMap } = window;
const LISTED = 50;
const NAMED_IN_POPUP = 20;
// Pixels: the width of the grid cells used for clustering, and the minimum distance of two clusters.
const CELL = 72;
const APART = 46;
const COLOURS = { online: "--color-online", charging: "--color-busy", offline: "--color-idle", error: "--color-error" };
// Degrees between two lines: the first that leaves room for the labels is used.
const LINES_EVERY = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30];
const ROOM = 90;

const box = document.getElementById("charger-map");
const rows = document.getElementById("charger-rows");
const line = document.getElementById("charger-row");
const count = document.getElementById("charger-count");

if (box && L) {
    // Load the map only when it comes into view.
    const near = new IntersectionObserver((entries) => {
        if (entries.some((entry) => entry.isIntersecting)) {
            near.disconnect();
            load();
        }
    }, { rootMargin: "300px" });
    near.observe(box.parentElement);
}

async function load() {
    try {
        const response = await fetch(box.dataset.url, { headers: { Accept: "application/json" } });
        if (!response.ok) throw new Error(String(response.status));
        show(await response.json());
    } catch (error) {
        box.hidden = true;
        count.textContent = box.dataset.textFailed;
        throw error;
    }
}

function filled(text, values) {
    return text.replace(/\{(\w+)\}/g, (_, name) => values[name].toLocaleString(document.documentElement.lang));
}

function element(name, className, text = "") {
    const made = document.createElement(name);
    made.className = className;
    made.textContent = text;
    return made;
}

function show(data) {
    const notes = [
        data.more && filled(box.dataset.textMore, { count: data.more }),
        data.elsewhere && filled(box.dataset.textElsewhere, { count: data.elsewhere }),
    ].filter(Boolean);
    if (!data.chargers.length) {
        if (notes.length) count.textContent = notes.join(" ");
        return;
    }
    box.hidden = false;
    box.querySelector(".map-note").textContent = notes.join(" ");

    const chargers = data.chargers.map(([pk, chargerId, name, latitude, longitude, city, state], rank) => {
        const place = L.latLng(latitude, longitude);
        return {
            pk, rank, chargerId, name, place,
            city: data.cities[city],
            state: data.states[state][0],
            label: data.states[state][1],
            at: L.CRS.EPSG3857.latLngToPoint(place, 0),
        };
    });
    const map = drawn(chargers);
    const marks = L.layerGroup().addTo(map);
    const hidden = new Set();

    function update() {
        const scale = 2 ** map.getZoom();
        const view = map.getPixelBounds();
        const around = view.pad(0.25);
        const seen = [];
        const nearby = [];
        for (const charger of chargers) {
            if (hidden.has(charger.state)) continue;
            const point = charger.at.multiplyBy(scale);
            if (around.contains(point)) nearby.push([charger, point]);
            if (view.contains(point)) seen.push(charger);
        }
        marks.clearLayers();
        const markOf = new Map();
        // Within a single city, its name is redundant.
        const isNamed = new Set(seen.map((charger) => charger.city)).size > 1;
        for (const cluster of gathered(nearby)) {
            const mark = cluster.length === 1 ? pin(cluster[0]) : bundle(cluster, map, isNamed);
            mark.addTo(marks);
            for (const charger of cluster) markOf.set(charger.pk, mark);
        }
        list(seen, markOf);
    }

    for (const button of box.querySelectorAll(".map-states button")) {
        const state = button.dataset.state;
        const number = chargers.filter((charger) => charger.state === state).length;
        button.querySelector(".state-count").textContent = number.toLocaleString(document.documentElement.lang);
        button.addEventListener("click", () => {
            if (!hidden.delete(state)) hidden.add(state);
            button.setAttribute("aria-pressed", String(!hidden.has(state)));
            update();
        });
    }
    map.on("moveend", update);
    update();
}

function drawn(chargers) {
    const map = leafletMap(box, box.querySelector(".map-view"), {
        maxBounds: [[-89, -200], [89, 200]],
        // Tiles exist for integer zoom levels only.
        zoomSnap: box.dataset.tileUrl ? 1 : 0.25,
    });
    map.on("popupopen", ({ popup }) => {
        popup.getElement().querySelector(".leaflet-popup-close-button").ariaLabel = box.dataset.textClose;
    });
    map.fitBounds(L.latLngBounds(chargers.map((charger) => charger.place)), { maxZoom: 15, padding: [40, 40] });
    if (!box.dataset.tileUrl) {
        const lines = L.layerGroup().addTo(map);
        map.on("moveend", () => graticule(map, lines));
        graticule(map, lines);
    }
    return map;
}

/* Lines of latitude and longitude, for orientation without tiles. */
function graticule(map, lines) {
    lines.clearLayers();
    const { x: width, y: height } = map.getSize();
    const bounds = map.getBounds();
    const west = bounds.getWest();
    const south = Math.max(bounds.getSouth(), -85);
    const north = Math.min(bounds.getNorth(), 85);
    const span = bounds.getEast() - west;
    const step = LINES_EVERY.find((one) => (width * one) / span >= ROOM) ?? LINES_EVERY.at(-1);
    const digits = Math.max(0, Math.ceil(-Math.log10(step)));
    const text = (degrees, positive, negative) =>
        `${Math.abs(degrees).toFixed(digits)}° ${degrees < 0 ? negative : positive}`;
    const draw = (from, to) =>
        L.polyline([from, to], { className: "graticule", interactive: false }).addTo(lines);
    const label = (at, words) => {
        const icon = L.divIcon({ className: "graticule-label", html: element("span", "", words), iconAnchor: [-5, 17] });
        L.marker(at, { icon, interactive: false, keyboard: false, zIndexOffset: -1000 }).addTo(lines);
    };
    // Keep labels out of the corners, which hold the buttons and the scale.
    for (let n = Math.ceil(west / step); n * step <= bounds.getEast(); n += 1) {
        draw([south, n * step], [north, n * step]);
        const { x } = map.latLngToContainerPoint([south, n * step]);
        if (x < width - 170) label([south, n * step], text(n * step, "E", "W"));
    }
    for (let n = Math.ceil(south / step); n * step <= north; n += 1) {
        draw([n * step, west], [n * step, bounds.getEast()]);
        const { y } = map.latLngToContainerPoint([n * step, west]);
        if (y > 100 && y < height - 30) label([n * step, west], text(n * step, "N", "S"));
    }
}

/* Clusters of chargers: those of one cell, and of cells whose centres are too close together. */
function gathered(nearby) {
    const cells = new Map();
    for (const [charger, point] of nearby) {
        const key = `${Math.floor(point.x / CELL)} ${Math.floor(point.y / CELL)}`;
        const cell = cells.get(key) ?? { chargers: [], sum: L.point(0, 0) };
        cell.chargers.push(charger);
        cell.sum = cell.sum.add(point);
        cells.set(key, cell);
    }
    const kept = [];
    for (const cell of [...cells.values()].sort((a, b) => b.chargers.length - a.chargers.length)) {
        const middle = cell.sum.divideBy(cell.chargers.length);
        const close = kept.find((other) => other.middle.distanceTo(middle) < APART);
        if (close) close.chargers.push(...cell.chargers);
        else kept.push({ middle, chargers: cell.chargers });
    }
    return kept.map((cell) => cell.chargers.sort((a, b) => a.rank - b.rank));
}

function pin(charger) {
    const html = element("span", "mark-text", charger.label);
    const icon = L.divIcon({ className: `pin pin-${charger.state}`, html, iconSize: [24, 24] });
    return L.marker(charger.place, { icon, keyboard: false })
        .bindTooltip(element("span", "", `${charger.chargerId}: ${charger.label}`), { direction: "top", offset: [0, -8] })
        .bindPopup(() => entries([charger]));
}

function bundle(chargers, map, isNamed) {
    const numbers = new Map();
    const cities = new Map();
    for (const charger of chargers) {
        numbers.set(charger.state, (numbers.get(charger.state) ?? 0) + 1);
        cities.set(charger.city, (cities.get(charger.city) ?? 0) + 1);
    }
    const bounds = L.latLngBounds(chargers.map((charger) => charger.place));
    const size = Math.min(56, 32 + 6 * Math.log10(chargers.length) ** 2);
    const ring = element("span", "cluster-ring");
    const parts = [];
    let end = 0;
    for (const state of ["charging", "online", "offline", "error"]) {
        const start = end;
        end += (100 * (numbers.get(state) ?? 0)) / chargers.length;
        parts.push(`var(${COLOURS[state]}) ${start}% ${end}%`);
    }
    ring.style.background = `conic-gradient(${parts.join(", ")})`;
    ring.append(element("span", "cluster-number", String(chargers.length)));
    const html = element("span", "cluster-body");
    html.append(ring);
    if (numbers.has("error")) html.append(element("span", "cluster-errors", String(numbers.get("error"))));
    const [city, inCity] = [...cities].sort((a, b) => b[1] - a[1])[0];
    if (isNamed && city && inCity * 2 > chargers.length) html.append(element("span", "mark-text", city));

    const labels = new Map(chargers.map((charger) => [charger.state, charger.label]));
    const summary = [...numbers].map(([state, number]) => `${labels.get(state)} ${number}`).join(", ");
    const middle = bounds.getCenter();
    const mark = L.marker(middle, {
        icon: L.divIcon({ className: "cluster", html, iconSize: [size, size] }),
        keyboard: false,
        zIndexOffset: chargers.length,
    }).bindTooltip(element("span", "", summary), { direction: "top", offset: [0, -size / 2] });
    mark.on("click", () => {
        const zoom = map.getBoundsZoom(bounds, false, L.point(40, 40));
        const deepest = Math.min(map.getMaxZoom(), 18);
        if (bounds.getNorthEast().equals(bounds.getSouthWest()) || map.getZoom() >= deepest) {
            L.popup().setLatLng(middle).setContent(entries(chargers)).openOn(map);
        } else {
            map.setView(middle, Math.min(Math.max(zoom, map.getZoom() + 1), deepest));
        }
    });
    return mark;
}

function entries(chargers) {
    const made = element("ul", "");
    for (const charger of chargers.slice(0, NAMED_IN_POPUP)) {
        const entry = element("li", "");
        entry.append(link(charger), element("span", `mark mark-${charger.state}`, charger.label));
        made.append(entry);
    }
    if (chargers.length > NAMED_IN_POPUP) {
        made.append(element("li", "quiet", filled(box.dataset.textMoreHere, { count: chargers.length - NAMED_IN_POPUP })));
    }
    return made;
}

function link(charger) {
    const made = element("a", "", charger.chargerId);
    made.href = box.dataset.page.replace("/0/", `/${charger.pk}/`);
    return made;
}

/* The list: the chargers in view, the most serious state first. Hovering a row highlights it on the map. */
function list(seen, markOf) {
    const listed = Math.min(seen.length, LISTED);
    const text = listed < seen.length ? box.dataset.textListed : box.dataset.textView;
    count.textContent = filled(text, { count: seen.length, listed });
    rows.replaceChildren(...seen.slice(0, LISTED).map((charger) => {
        const row = line.content.firstElementChild.cloneNode(true);
        const [anchor, mark, place] = row.children;
        anchor.replaceWith(link(charger));
        mark.classList.add(`mark-${charger.state}`);
        mark.textContent = charger.label;
        place.textContent = [charger.name, charger.city].filter(Boolean).join(", ");
        const point = (isAt) => markOf.get(charger.pk)?.getElement()?.classList.toggle("is-pointed-at", isAt);
        for (const event of ["mouseenter", "focusin"]) row.addEventListener(event, () => point(true));
        for (const event of ["mouseleave", "focusout"]) row.addEventListener(event, () => point(false));
        return row;
    }));
    rows.scrollTop = 0;
}
