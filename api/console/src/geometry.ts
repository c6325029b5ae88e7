import type { Incident } from "./model";

const METRES_PER_DEGREE = 111_320;

/** The ring of an incident's 95 % ellipse in longitude, latitude; good to a part in a thousand below 1 km. */
export function ellipseRing(incident: Incident, points = 48): number[][] {
  const { major_m, minor_m, bearing_deg } = incident.ellipse;
  const turn = (bearing_deg * Math.PI) / 180;
  const eastScale = METRES_PER_DEGREE * Math.cos((incident.lat_deg * Math.PI) / 180);
  return Array.from({ length: points + 1 }, (_, i) => {
    const angle = (2 * Math.PI * (i % points)) / points;
    const along = major_m * Math.cos(angle);
    const across = minor_m * Math.sin(angle);
    const north = along * Math.cos(turn) - across * Math.sin(turn);
    const east = along * Math.sin(turn) + across * Math.cos(turn);
    return [incident.lon_deg + east / eastScale, incident.lat_deg + north / METRES_PER_DEGREE];
  });
}

/** West, south, east, north of everything the features hold, or null when they hold nothing. */
export function boundsOf(features: GeoJSON.Feature[]): [number, number, number, number] | null {
  const bounds: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  const visit = (node: unknown): void => {
    if (!Array.isArray(node)) return;
    if (typeof node[0] !== "number") return node.forEach(visit);
    const [lon, lat] = node as [number, number];
    bounds[0] = Math.min(bounds[0], lon);
    bounds[1] = Math.min(bounds[1], lat);
    bounds[2] = Math.max(bounds[2], lon);
    bounds[3] = Math.max(bounds[3], lat);
  };
  for (const { geometry } of features) if ("coordinates" in geometry) visit(geometry.coordinates);
  return Number.isFinite(bounds[0]) ? bounds : null;
}
