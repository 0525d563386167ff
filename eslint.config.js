import js from "@eslint/js";
import globals from "globals";

const vendor = { django: "readonly", L: "readonly", SwaggerUIBundle: "readonly" };
// Scripts that Django's pages load without `type="module"`.
const scripts = ["api_docs", "choices", "history", "leaflet_map", "operators", "validity"];
const paths = scripts.map((name) => `static/chargetree/${name}.js`);

export default [
    { ignores: ["static/vendor/"] },
    js.configs.recommended,
    { files: ["static/**/*.js"], languageOptions: { sourceType: "module", globals: { ...globals.browser, ...vendor } } },
    { files: paths, languageOptions: { sourceType: "script" } },
];
