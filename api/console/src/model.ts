// What the API says, as the page uses it. Field names are the API's own.

export type Names = Record<string, string>;
export type LonLat = [number, number];

/** Administrators: each has a page of its own and sees no incidents. */
export type Office = "system" | "security" | "auditor";

export interface Me {
  role: "operator" | "agency" | "gateway" | Office;
  agency: string | null;
  name: string;
  may_confirm: boolean;
}

export interface Site {
  id: string;
  name: Names;
  timezone: string;
  origin: { lat_deg: number; lon_deg: number };
  bounds: [number, number, number, number];
  hillshade: { url: string; corners: [LonLat, LonLat, LonLat, LonLat] };
  layers: GeoJSON.FeatureCollection;
}

export interface Dock {
  id: string;
  name: Names;
  lat_deg: number;
  lon_deg: number;
  elevation_m: number;
  door: string | null;
  charger: string | null;
  drones: string[];
  updated_at: string | null;
}

export interface Drone {
  id: string;
  model: string;
  dock: string;
  system_id: number;
  state: string;
  lat_deg: number | null;
  lon_deg: number | null;
  altitude_m: number | null;
  above_home_m: number | null;
  heading_deg: number | null;
  speed_m_s: number | null;
  battery_percent: number | null;
  sortie: string | null;
  updated_at: string | null;
}

export interface Sortie {
  id: string;
  plan: string;
  dock: string;
  drone: string | null;
  state: string;
  agencies: string[];
  flight_s: number;
  started_at: string | null;
  landed_at: string | null;
  follows: { kind: string; lat_deg: number; lon_deg: number; seen_at: string; until_at: string | null } | null;
  shots: { planned: number; taken: number; files: number };
  steps: { at: string; state: string; evidence: string }[];
  path: LonLat[];
}

export interface Incident {
  id: string;
  hazard: string;
  severity: string;
  state: string;
  place_name: Names;
  lat_deg: number;
  lon_deg: number;
  ellipse: { major_m: number; minor_m: number; bearing_deg: number };
  confidence: number;
  area_m2: number | null;
  temp_max_c: number | null;
  opened_at: string;
  seen_at: string;
  looks: number;
  frame: string | null;
  agencies: string[];
  standing: "unconfirmed" | "confirmed" | "cleared" | null;
  standing_reason: Names | null;
  sources: { witness: string; source: string; count: number; confidence: number; last_at: string }[];
  note: Names | null;
  said: Names[];
}

/** What is asked for one incident alone: how it spreads, and the ground that its last look outlined. */
export interface IncidentWhole extends Incident {
  growth: { text: Names } | null;
  ground: GeoJSON.MultiPolygon | null;
}

export interface Delivery {
  channel: string;
  state: string;
  attempts: number;
  last_error: string | null;
  delivered_at: string | null;
}

export interface Alert {
  id: string;
  incident: string;
  agency: string;
  state: string;
  hazard: string;
  severity: string;
  title: Names;
  place_name: Names;
  raised_at: string;
  acknowledged_by: string | null;
  shelved_until: string | null;
  deliveries: Delivery[];
}

/** That an incident is public, in whose name, and whether that was taken back. */
export interface Release {
  incident: string;
  agency: string;
  released_by: string;
  released_at: string;
  withdrawn_at: string | null;
}

export interface Mute {
  id: string;
  agency: string;
  hazards: string[];
  lat_deg: number | null;
  lon_deg: number | null;
  radius_m: number | null;
  reason: string;
  owner: string;
  ends_at: string;
}

/** Ground that is known to be hot. */
export interface Mask {
  id: string;
  agency: string | null;
  name: string;
  radius_m: number;
  owner: string;
  until_at: string;
}

/** A find that was too uncertain to tell an agency of. */
export interface Review {
  agency: string;
  reason: string;
  decided_at: string;
  incident: Incident;
}

export interface Receiver {
  id: string;
  agency: string;
  channel: string;
  address: string;
  disabled_at: string | null;
  disabled_reason: string | null;
}

/** One message in the outbox and how far it has come. */
export interface Message {
  id: string;
  agency: string;
  channel: string;
  state: string;
  attempts: number;
  created_at: string;
  last_error: string | null;
  cursor: number;
}

export interface Agency {
  id: string;
  name: Names;
  language: string;
  hazards: string[];
}

export type OrderAct = "dispatch" | "arrive" | "resolve" | "verify" | "close" | "rate" | "reopen";

export interface OrderStep {
  act: string;
  state: string;
  by: string;
  at: string;
  note: string | null;
  facts: Record<string, unknown>;
}

export interface Order {
  id: string;
  incident: string;
  agency: string;
  lead: string | null;
  hazard: string;
  severity: string;
  place_name: Names;
  state: string;
  version: number;
  assignee: string | null;
  respond_by: string;
  resolve_by: string;
  is_late: boolean;
  verdict: string | null;
  look: string;
  rating: number | null;
  allowed: OrderAct[];
  checklist: { item: string; text: Names; done_at: string | null; done_by: string | null }[];
  pictures: { id: string; by: string; at: string }[];
  steps: OrderStep[];
  created_at: string;
  changed_at: string;
}

/** How a place looked on one flight: what stands is what later ones are compared with. */
export interface Baseline {
  id: string;
  place: string;
  version: string;
  standing: "stands" | "candidate" | "superseded";
  at: string;
  frames: number;
  registered: number;
  confirmed_by: string;
}
