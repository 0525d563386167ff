export default {
    extends: "stylelint-config-standard",
    ignoreFiles: ["static/vendor/**"],
    rules: {
        // Many names are those of Django's pages, of select2, of Leaflet and of the fields of models.
        "selector-class-pattern": null,
        "selector-id-pattern": null,
        // It compares rules of different things, which no element ever meets at once; a sheet is sorted by things.
        "no-descending-specificity": null,
        // Colours are tokens, for light and for dark pages.
        "color-named": "never",
        // Blank lines part groups of tokens.
        "custom-property-empty-line-before": null,
    },
};
