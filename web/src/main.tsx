import { render } from "preact";
import { Session } from "./session/session";
import "./style/main.css";
import { App } from "./ui/app";

const root = document.getElementById("app");
if (root !== null) render(<App session={new Session()} />, root);
