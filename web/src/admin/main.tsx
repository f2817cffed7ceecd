import { render } from "preact";
import { LoginPage } from "./pages/login";
import { Shell } from "./parts/shell";
import { asked } from "./state/action";
import { Admin, AdminContext, useAdmin } from "./state/admin";
import { followRoute } from "./state/route";
import "./style/admin.css";

function App() {
  const admin = useAdmin();
  const me = admin.me.value;
  if (me === undefined) return <main class="login" aria-busy="true" />;
  return me === null ? <LoginPage /> : <Shell />;
}

const root = document.getElementById("app");
if (root !== null) {
  const admin = new Admin();
  followRoute();
  addEventListener("online", () => admin.hurry());
  // What was asked about ends with the session.
  admin.me.subscribe((me) => {
    if (me === null) asked.value = null;
  });
  void admin.resume();
  render(
    <AdminContext.Provider value={admin}>
      <App />
    </AdminContext.Provider>,
    root,
  );
}
