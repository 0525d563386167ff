/* A Leaflet map as both pages with maps have it. A plain script, for modules are not found under the names that static
   files get in production. */
"use strict";

/* A map in `view`, set up by the data of the box around it, with tiles where a server of them is set. */
window.leafletMap = (box, view, options = {}) => {
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const map = L.map(view, {
        attributionControl: Boolean(box.dataset.tileUrl),
        fadeAnimation: !isStill,
        markerZoomAnimation: !isStill,
        maxZoom: 19,
        minZoom: 2,
        // The wheel scrolls the page until the map has been chosen.
        scrollWheelZoom: false,
        zoomAnimation: !isStill,
        zoomControl: false,
        ...options,
    });
    view.addEventListener("focusin", () => map.scrollWheelZoom.enable());
    view.addEventListener("focusout", () => map.scrollWheelZoom.disable());
    L.control.zoom({ zoomInTitle: box.dataset.textIn, zoomOutTitle: box.dataset.textOut }).addTo(map);
    L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);
    if (box.dataset.tileUrl) {
        L.tileLayer(box.dataset.tileUrl, {
            attribution: box.dataset.tileAttribution,
            maxZoom: 19,
            noWrap: true,
            // Tile servers want to know who asks; of the page they learn no more than its server.
            referrerPolicy: "strict-origin-when-cross-origin",
        }).addTo(map);
    }
    return map;
};
