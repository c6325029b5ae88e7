// Work orders: the list, one order with what may be done with it now, and an incident's orders.

import { useEffect, useRef, useState } from "preact/hooks";
import { call, Refused } from "./api";
import type { Incident, Order, OrderAct, OrderStep } from "./model";
import { OrderForm, PERSONS_ACTS } from "./OrderForm";
import { OrderPlan } from "./OrderPlan";
import { agencyName, chosen, incidents, keepOrder, me, orders, readOrder, readOrders, timezone } from "./state";
import { clock, code, moment, named, refused, say } from "./words";

const READ_AGAIN_MS = 60_000;

/** When somebody must next have done something, empty where nobody must. */
function dueAt(order: Order): string {
  if (["new", "dispatched", "reopened"].includes(order.state)) return order.respond_by;
  return order.state === "on_site" ? order.resolve_by : "";
}

function Due({ order }: { order: Order }) {
  const at = dueAt(order);
  if (!at) return null;
  const what = say(order.state === "on_site" ? "resolve_by" : "be_there_by");
  return (
    <small class={order.is_late ? "late" : ""}>
      {what} {moment(at, timezone.value)}{order.is_late ? ` · ${say("late")}` : ""}
    </small>
  );
}

function Row({ order }: { order: Order }) {
  return (
    <button class={`row ${order.severity}`} onClick={() => { chosen.value = { kind: "order", id: order.id }; }}>
      <strong>{code(order.hazard)}</strong>
      <span class={`state order-${order.state}`}>{code(`order_${order.state}`)}</span>
      <span>{named(order.place_name)}</span>
      <span class="who">{named(agencyName(order.agency))} · {order.assignee ?? say("nobody_assigned")}</span>
      <Due order={order} />
    </button>
  );
}

/** All orders: what is due first, then what waits for a look or is done, the latest first. */
export function Orders() {
  useEffect(() => {
    const read = () => void readOrders().catch(() => undefined); // a broken line is told in the header
    read();
    const again = setInterval(read, READ_AGAIN_MS);
    return () => clearInterval(again);
  }, []);
  const rows = [...orders.value.values()].sort((a, b) => {
    const [first, second] = [dueAt(a), dueAt(b)];
    if (first && second) return first.localeCompare(second);
    return first || second ? (first ? -1 : 1) : b.changed_at.localeCompare(a.changed_at);
  });
  if (!rows.length) return <p class="empty">{say("no_orders")}</p>;
  return <>{rows.map((row) => <Row key={row.id} order={row} />)}</>;
}

/** The orders on one incident, and the making of one's own where nobody of the agency works on it. */
export function OrdersOf({ incident }: { incident: Incident }) {
  const [problem, setProblem] = useState<string | null>(null);
  const rows = [...orders.value.values()].filter((row) => row.incident === incident.id);
  const isMine = (row: Order) => row.agency === me.value?.agency && !["closed", "rated"].includes(row.state);
  async function make(): Promise<void> {
    try {
      const made = await call<Order>(`/v1/incidents/${incident.id}/orders`, "POST", {});
      keepOrder(made);
      chosen.value = { kind: "order", id: made.id };
    } catch (error) {
      setProblem(refused(error));
    }
  }
  return (
    <section>
      <h3>{say("orders")}</h3>
      {rows.length === 0 && <p class="empty">{say("no_order")}</p>}
      {rows.map((row) => <Row key={row.id} order={row} />)}
      {problem && <p class="problem" role="alert">{problem}</p>}
      {me.value?.role === "agency" && !rows.some(isMine) && (
        <button class="main" onClick={() => void make()}>{say("make_order")}</button>
      )}
    </section>
  );
}

export function OrderDetail({ order }: { order: Order }) {
  const [open, setOpen] = useState<OrderAct | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const underway = useRef(Promise.resolve(true));
  const isOwn = me.value?.role === "agency" && me.value.agency === order.agency;
  const path = `/v1/orders/${order.id}`;

  /** Changes the order as it is shown, one change after the other; says in a sentence why not. */
  function change(where: string, method: string, body: unknown): Promise<boolean> {
    underway.current = underway.current.then(() => changeNow(where, method, body));
    return underway.current;
  }

  async function changeNow(where: string, method: string, body: unknown): Promise<boolean> {
    try {
      const version = orders.value.get(order.id)?.version ?? order.version;
      keepOrder(await call<Order>(where ? `${path}/${where}` : path, method, body, version));
      setProblem(null);
      return true;
    } catch (error) {
      setProblem(refused(error));
      if (error instanceof Refused) await readOrder(order.id);
      return false;
    }
  }

  async function act(name: OrderAct, wish: Record<string, unknown>): Promise<void> {
    if (await change(name, "POST", wish)) setOpen(null);
  }

  const acts = order.allowed.filter((name) => PERSONS_ACTS.has(name));
  return (
    <article>
      <button onClick={() => { chosen.value = null; }}>← {say("back")}</button>
      <h2 class={order.severity}>{code(order.hazard)}</h2>
      <p class="place">{named(order.place_name)}</p>
      <p class="order-state">
        <b class={`state order-${order.state}`}>{code(`order_${order.state}`)}</b> <Due order={order} />
      </p>
      {problem && <p class="problem" role="alert">{problem}</p>}
      <div class="buttons">
        {acts.map((name) => (
          <button key={name} class={open === name ? "main" : ""} aria-expanded={open === name}
            onClick={() => { setProblem(null); if (name === "arrive") void act(name, {}); else setOpen(open === name ? null : name); }}>
            {say(name === "dispatch" && order.state === "dispatched" ? "send_others" : name as "dispatch")}
          </button>
        ))}
      </div>
      {open && acts.includes(open) && (
        <OrderForm key={open} act={open} order={order} send={(wish) => act(open, wish)} leave={() => setOpen(null)} />
      )}
      {isOwn && <OrderPlan order={order} change={change} />}
      {!isOwn && <p class="hint">{say("only_watching")}</p>}
      <Facts order={order} />
      {incidents.value.has(order.incident) && (
        <button onClick={() => { chosen.value = { kind: "incident", id: order.incident }; }}>{say("to_incident")}</button>
      )}
      <Checklist order={order} isOwn={isOwn} change={change} />
      <Pictures order={order} isOwn={isOwn} change={change} />
      <History order={order} isOwn={isOwn} change={change} />
    </article>
  );
}

function Facts({ order }: { order: Order }) {
  return (
    <dl>
      <dt>{say("agency")}</dt>
      <dd>{named(agencyName(order.agency))}</dd>
      {order.lead && <><dt>{say("lead")}</dt><dd>{named(agencyName(order.lead))}</dd></>}
      <dt>{say("assignee")}</dt><dd>{order.assignee ?? say("nobody_assigned")}</dd>
      <dt>{say("be_there_by")}</dt><dd>{moment(order.respond_by, timezone.value)}</dd>
      <dt>{say("resolve_by")}</dt><dd>{moment(order.resolve_by, timezone.value)}</dd>
      {order.verdict && <><dt>{say("verdict")}</dt><dd>{code(`verdict_${order.verdict}`)}</dd></>}
      {order.look !== "none" && <><dt>{say("look_from_the_air")}</dt><dd>{code(`look_${order.look}`)}</dd></>}
      {order.rating !== null && <><dt>{say("rating")}</dt><dd>{order.rating} / 5</dd></>}
    </dl>
  );
}

interface Part {
  order: Order;
  isOwn: boolean;
  change: (where: string, method: string, body: unknown) => Promise<boolean>;
}

function Checklist({ order, isOwn, change }: Part) {
  // What was ticked and is not answered yet: an answer to something else must not untick it meanwhile.
  const [wished, setWished] = useState<Record<string, boolean>>({});
  async function tick(item: string, done: boolean): Promise<void> {
    setWished((all) => ({ ...all, [item]: done }));
    await change(`checklist/${item}`, "PUT", { done });
    setWished(({ [item]: _, ...rest }) => rest);
  }
  return (
    <section>
      <h3>{say("checklist")}</h3>
      {order.checklist.map((entry) => (
        <label class="check" key={entry.item}>
          <input type="checkbox" checked={wished[entry.item] ?? entry.done_at !== null} disabled={!isOwn}
            onChange={(event) => void tick(entry.item, event.currentTarget.checked)} />
          <span>{named(entry.text)}</span>
          {entry.done_at && <small>{entry.done_by} {clock(entry.done_at, timezone.value)}</small>}
        </label>
      ))}
    </section>
  );
}

function Pictures({ order, isOwn, change }: Part) {
  if (!isOwn && order.pictures.length === 0) return null;
  async function send(input: HTMLInputElement): Promise<void> {
    const file = input.files?.[0];
    if (!file) return;
    const form = new FormData();
    form.append("file", file);
    await change("pictures", "POST", form);
    input.value = "";
  }
  return (
    <section>
      <h3>{say("ground_pictures")}</h3>
      <div class="ground">
        {order.pictures.map((picture) => {
          const where = `/v1/orders/${order.id}/pictures/${picture.id}`;
          return (
            <a key={picture.id} href={where} target="_blank" rel="noreferrer">
              <img src={where} alt={`${say("ground_pictures")} · ${picture.by}`} />
            </a>
          );
        })}
      </div>
      {isOwn && (
        <label class="upload">
          {say("add_picture")}
          <input type="file" accept="image/jpeg,image/png" onChange={(event) => void send(event.currentTarget)} />
        </label>
      )}
    </section>
  );
}

function History({ order, isOwn, change }: Part) {
  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    if (await change("notes", "POST", { note: new FormData(form).get("note") })) form.reset();
  }
  return (
    <section>
      <h3>{say("history")}</h3>
      <ol class="steps">
        {order.steps.map((step, i) => (
          <li key={i}>
            <time>{moment(step.at, timezone.value)}</time> <b>{code(`act_${step.act}`)}</b> {step.by}
            {said(order, step).map((words) => <small key={words}>{words}</small>)}
          </li>
        ))}
      </ol>
      {isOwn && (
        <form class="add-note" onSubmit={(event) => void submit(event)}>
          <input name="note" required maxLength={2000} placeholder={say("note")} aria-label={say("note")} />
          <button>{say("add_note")}</button>
        </form>
      )}
    </section>
  );
}

/** What a step says beyond its name, one phrase a fact. */
function said(order: Order, { note, facts }: OrderStep): string[] {
  const item = order.checklist.find((entry) => entry.item === facts["item"]);
  return [
    facts["assignee"] && `${say("assignee")}: ${facts["assignee"]}`,
    facts["verdict"] && `${say("verdict")}: ${code(`verdict_${facts["verdict"]}`)}`,
    facts["rating"] && `${say("rating")}: ${facts["rating"]} / 5`,
    facts["look"] && `${say("look_from_the_air")}: ${code(`look_${facts["look"]}`)}`,
    item && `${facts["done"] ? "☑" : "☐"} ${named(item.text)}`,
    note,
  ].filter((words): words is string => Boolean(words));
}
