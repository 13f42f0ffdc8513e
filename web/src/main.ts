// Starts the page. It never knows which page it is: `App` reads that from the address.
import "./ui/fonts.css";
import "./ui/tokens.css";
import "./ui/base.css";
import "./ui/captions.css";
import { mount } from "svelte";
import App from "./ui/App.svelte";

const target = document.getElementById("app");
if (target) mount(App, { target });
