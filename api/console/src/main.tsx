import { render } from "preact";
import "maplibre-gl/dist/maplibre-gl.css";
import "./page.css";
import { Page } from "./Page";

render(<Page />, document.getElementById("page")!);
