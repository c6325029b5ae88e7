// What the page knows, filled once by reading and kept fresh by the event stream.

import { computed, signal } from "@preact/signals";
import { call, listen, Refused } from "./api";
import type {
  Agency, Alert, Dock, Drone, Incident, LonLat, Me, Names, Office, Order, Release, Site, Sortie,
} from "./model";

export const me = signal<Me | null>(null);
export const site = signal<Site | null>(null);
export const docks = signal<ReadonlyMap<string, Dock>>(new Map());
export const drones = signal<ReadonlyMap<string, Drone>>(new Map());
export const sorties = signal<ReadonlyMap<string, Sortie>>(new Map());
export const incidents = signal<ReadonlyMap<string, Incident>>(new Map());
export const alerts = signal<ReadonlyMap<string, Alert>>(new Map());
export const orders = signal<ReadonlyMap<string, Order>>(new Map());
/** By incident, what our agency has released and not taken back. */
export const releases = signal<ReadonlyMap<string, Release>>(new Map());
export const agencies = signal<ReadonlyMap<string, Agency>>(new Map());
export const trails = signal<ReadonlyMap<string, LonLat[]>>(new Map());
export const coverage = signal<GeoJSON.Feature[] | null>(null);
/** What the last look at the incident on show outlined. */
export const ground = signal<GeoJSON.MultiPolygon | null>(null);
export const connected = signal(false);
export const lastAt = signal<string | null>(null);
export const chosen = signal<{ kind: "incident" | "sortie" | "order"; id: string } | null>(null);

export const timezone = computed(() => site.value?.timezone ?? "UTC");

const TRAIL_POINTS = 600;

/** What each administrator's page reads first. */
export const OFFICE_READS: Record<Office, string> = {
  system: "/v1/system", security: "/v1/accounts", auditor: "/v1/audit?limit=1",
};

export function isOffice(role: Me["role"]): role is Office {
  return role in OFFICE_READS;
}

function put<T extends { id: string }>(store: { value: ReadonlyMap<string, T> }, row: T): void {
  store.value = new Map(store.value).set(row.id, { ...store.value.get(row.id), ...row });
}

function filled<T extends { id: string }>(rows: T[]): ReadonlyMap<string, T> {
  return new Map(rows.map((row) => [row.id, row]));
}

function follow(drone: Drone): void {
  put(drones, drone);
  if (drone.updated_at && (!lastAt.value || drone.updated_at > lastAt.value)) lastAt.value = drone.updated_at;
  if (drone.lon_deg === null || drone.lat_deg === null || drone.state === "docked") return;
  const trail = [...(trails.value.get(drone.id) ?? []), [drone.lon_deg, drone.lat_deg] as LonLat];
  trails.value = new Map(trails.value).set(drone.id, trail.slice(-TRAIL_POINTS));
}

/** Reads everything once, then listens. Throws `Refused` with 401 when nobody is signed in. */
export async function start(): Promise<() => void> {
  me.value = await call<Me>("/v1/me");
  if (isOffice(me.value.role)) {
    await call(OFFICE_READS[me.value.role]); // refused while a second factor is missing
    return () => undefined;
  }
  site.value = await call<Site>("/v1/site");
  await refresh();
  return listen(
    {
      telemetry: follow as never,
      dock: ((row: Dock) => put(docks, row)) as never,
      sortie: ((row: Sortie) => put(sorties, row)) as never,
      incident: ((row: Incident) => put(incidents, row)) as never,
      alert: ((row: Alert) => put(alerts, row)) as never,
      order: ((told: { id: string }) => void readOrder(told.id)) as never,
      release: (() => void readReleases()) as never,
    },
    (yes) => {
      // After a break in the line the stream resumes, yet telemetry in between was lost: read again.
      if (yes && !connected.value) void refresh();
      connected.value = yes;
    },
  );
}

async function refresh(): Promise<void> {
  const isOperator = me.value?.role === "operator";
  const [a, i, g, o] = await Promise.all([
    call<{ alerts: Alert[] }>("/v1/alerts"),
    call<{ incidents: Incident[] }>("/v1/incidents"),
    call<{ agencies: Agency[] }>("/v1/agencies"),
    call<{ orders: Order[] }>("/v1/orders"),
  ]);
  alerts.value = filled(a.alerts);
  incidents.value = filled(i.incidents);
  agencies.value = filled(g.agencies);
  orders.value = filled(o.orders);
  await readReleases();
  if (!isOperator) return;
  const [d, n, s] = await Promise.all([
    call<{ docks: Dock[] }>("/v1/docks"),
    call<{ drones: Drone[] }>("/v1/drones"),
    call<{ sorties: Sortie[] }>("/v1/sorties"),
  ]);
  docks.value = filled(d.docks);
  n.drones.forEach(follow);
  sorties.value = filled(s.sorties);
}

/** Reads all orders again: who leads and what others share changes without a word in the stream. */
export async function readOrders(): Promise<void> {
  orders.value = filled((await call<{ orders: Order[] }>("/v1/orders")).orders);
}

/** Reads what is public of what our agency was told. */
export async function readReleases(): Promise<void> {
  const { releases: rows } = await call<{ releases: Release[] }>("/v1/releases");
  releases.value = new Map(rows.filter((row) => !row.withdrawn_at).map((row) => [row.incident, row]));
}

/** Takes an alert as the service has just answered it. */
export function keepAlert(row: Alert): void {
  put(alerts, row);
}

/** The moment so many hours from now by the service's clock, which a simulation may run ahead of ours. */
export async function hoursFromNow(hours: number): Promise<string> {
  const { now } = await call<{ now: string }>("/v1/health");
  return new Date(Date.parse(now) + hours * 3_600_000).toISOString();
}

/** Reads one order again; one that is no longer ours to see goes from the list. */
export async function readOrder(id: string): Promise<void> {
  try {
    keepOrder(await call<Order>(`/v1/orders/${id}`));
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 404) return; // the next word or the next minute tells
    orders.value = new Map([...orders.value].filter(([known]) => known !== id));
  }
}

/** Takes an order that was read, unless a later version is here already. */
export function keepOrder(row: Order): void {
  if ((orders.value.get(row.id)?.version ?? -1) <= row.version) put(orders, row);
}

/** Reads what was looked at and how long ago; shown only while somebody wants to see it. */
export async function readCoverage(): Promise<void> {
  const { features } = await call<GeoJSON.FeatureCollection>("/v1/coverage");
  coverage.value = features.filter((f) => f.properties?.kind === "age");
}

export function agencyName(id: string): Names {
  return agencies.value.get(id)?.name ?? { "en-US": id };
}
