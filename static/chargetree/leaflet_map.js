/* The Leaflet map of both pages with maps. A plain script, because modules are not found under the hashed names that
   static files get in production. */
"use strict";

/* A map in `view`, configured by the data attributes of `box`, with tiles if a tile server is configured. */
window.leafletMap = (box, view, options = {}) => {
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const map = L.map(view, {
        attributionControl: Boolean(box.dataset.tileUrl),
        fadeAnimation: !isStill,
        markerZoomAnimation: !isStill,
        maxZoom: 19,
        minZoom: 2,
        // The wheel scrolls the page until the map has the focus.
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
            // Tile servers require a referrer; they get the origin only.
            referrerPolicy: "strict-origin-when-cross-origin",
        }).addTo(map);
    }
    return map;
};
