import { render } from "preact";
import { Login } from "./state/login";
import { storageOfTab } from "./state/saved";
import "./style/main.css";
import { App } from "./ui/app";

const root = document.getElementById("app");
const login = new Login(await storageOfTab());
if (root !== null) render(<App login={login} />, root);
