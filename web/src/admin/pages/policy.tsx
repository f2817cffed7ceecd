import { useSignal } from "@preact/signals";
import { asFailure } from "../wire/failure";
import { Facts } from "../parts/detail";
import { Icon } from "../parts/icon";
import { Outside } from "../parts/outside";
import { Page } from "../parts/page";
import { Problem } from "../parts/problem";
import { type Column, Table } from "../parts/table";
import { useAdmin } from "../state/admin";
import type { Route } from "../state/route";
import type { Consideration, Explanation } from "../wire/records";
import { considerationText, explanationText } from "../words/decision";
import { failureText } from "../words/ending";

const ACTIONS = ["join", "read", "send", "edit", "delete", "leave", "manage", "update", "create"] as const;

/** Who may do what, and by which rule. */
export function PolicyPage({ route }: { route: Route }) {
  const admin = useAdmin();
  const explanation = useSignal<Explanation | null>(null);
  const problem = useSignal<{ code: string; text: string } | null>(null);
  const action = useSignal<string>("join");

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(fields.get(name) ?? "").trim();
    const roles = text("roles")
      .split(/[\s,]+/)
      .filter(Boolean);
    problem.value = null;
    try {
      explanation.value = await admin.request<Explanation>("POST", "/api/policy/explain", {
        user: text("user"),
        action: text("action"),
        ...(action.value !== "create" && { room: text("room") }),
        ...(text("author") !== "" && { author: text("author") }),
        ...(roles.length > 0 && { roles }),
      });
    } catch (thrown) {
      const failure = asFailure(thrown);
      explanation.value = null;
      problem.value = { code: failure.code, text: failureText(failure) };
    }
  };
  return (
    <Page title="Policy">
      <form class="panel form policy" onSubmit={(event) => void submit(event)}>
        <label class="field">
          <span>May the user</span>
          <input
            name="user"
            data-testid="user"
            defaultValue={route.query["user"] ?? ""}
            placeholder="User id"
            autoComplete="off"
            autoCapitalize="none"
            spellcheck={false}
            required
          />
        </label>
        <label class="field">
          <span>do this</span>
          <select
            name="action"
            data-testid="policy-action"
            value={action.value}
            onChange={(event) => (action.value = event.currentTarget.value)}
          >
            {ACTIONS.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        {action.value !== "create" && (
          <label class="field">
            <span>in the room</span>
            <input
              name="room"
              data-testid="room"
              defaultValue={route.query["room"] ?? ""}
              placeholder="Id of a channel, or room:…"
              autoComplete="off"
              autoCapitalize="none"
              spellcheck={false}
              required
            />
          </label>
        )}
        {(action.value === "edit" || action.value === "delete") && (
          <label class="field">
            <span>
              message of <small>the user’s own if empty</small>
            </span>
            <input name="author" placeholder="User id" autoComplete="off" autoCapitalize="none" spellcheck={false} />
          </label>
        )}
        <label class="field">
          <span>
            with roles <small>optional</small>
          </span>
          <input name="roles" data-testid="roles" placeholder="staff, moderator" autoComplete="off" />
        </label>
        <button type="submit" class="primary" data-testid="explain">
          Explain
        </button>
      </form>
      <Problem problem={problem.value} />
      {explanation.value !== null && <Answer explanation={explanation.value} />}
    </Page>
  );
}

function Answer({ explanation }: { explanation: Explanation }) {
  const { decision, rule, facts, considered } = explanation;
  const columns: readonly Column<Consideration>[] = [
    { label: "Rule", cell: (row) => <Outside text={row.rule} isCode /> },
    { label: "Effect", cell: ({ effect }) => effect },
    { label: "From", cell: ({ origin }) => (origin === "builtin" ? "built in" : "configuration") },
    { label: "Here", kind: "wide", cell: (row) => considerationText(row, row.rule === rule && row.matches) },
  ];
  return (
    <section class="answer" aria-label="Decision">
      <p class="verdict" data-testid="verdict" data-decision={decision} role="status">
        <Icon name={decision === "allowed" ? "check" : "cross"} />
        <bdi>{explanationText(explanation)}</bdi>
      </p>
      <h2>Decided from</h2>
      <Facts
        facts={[
          ["Membership", facts.membership],
          ["Token", facts.token ? "of a live socket, or by the roles you gave" : "none: the user is not connected"],
          ["Roles", facts.roles.join(", ") || "–"],
          ["Scopes", facts.scopes.join(", ") || "–"],
          ...Object.entries(facts.claims).map(([name, values]) => [`Claim ${name}`, values.join(", ")] as const),
        ]}
      />
      <h2>Rules, in the order in which they are asked</h2>
      <Table
        caption="Rules that were considered"
        columns={columns}
        rows={considered}
        keyOf={(row) => row.rule}
        selected={rule}
        testId="considered"
      />
    </section>
  );
}
