// The map: hillshade and site layers from our own service, nothing from the internet, no borders.

import { effect } from "@preact/signals";
import { GeoJSONSource, Map as Chart, Marker, NavigationControl, ScaleControl, setWorkerUrl } from "maplibre-gl";
import type { StyleSpecification } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { useEffect, useRef, useState } from "preact/hooks";
import { boundsOf, ellipseRing } from "./geometry";
import type { Dock, Drone, Incident, Site } from "./model";
import { chosen, coverage, docks, drones, ground, incidents, readCoverage, sorties, trails } from "./state";
import { code, language, named, say } from "./words";

// The bundle moves the files about, so the worker's address must be told.
setWorkerUrl(new URL(workerUrl, import.meta.url).href);

const EMPTY: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };

function styleOf(site: Site): StyleSpecification {
  const kind = (name: string) => ["==", ["get", "kind"], name] as never;
  const data = EMPTY;
  return {
    version: 8,
    sources: {
      hills: { type: "image", url: site.hillshade.url, coordinates: site.hillshade.corners },
      site: { type: "geojson", data: site.layers },
      paths: { type: "geojson", data },
      trails: { type: "geojson", data },
      ellipses: { type: "geojson", data },
      coverage: { type: "geojson", data },
      extent: { type: "geojson", data },
    },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": "#dfe3dc" } },
      { id: "hills", type: "raster", source: "hills", paint: { "raster-opacity": 0.75, "raster-fade-duration": 0 } },
      { id: "compartment", type: "fill", source: "site", filter: kind("compartment"),
        paint: { "fill-color": "#3f7d4e", "fill-opacity": 0.28 } },
      { id: "compartment-edge", type: "line", source: "site", filter: kind("compartment"),
        paint: { "line-color": "#2c5c39", "line-width": 1 } },
      { id: "village", type: "fill", source: "site", filter: kind("village"),
        paint: { "fill-color": "#b08968", "fill-opacity": 0.4 } },
      { id: "demand", type: "fill", source: "site",
        filter: ["all", kind("demand"), ["==", ["geometry-type"], "Polygon"]] as never,
        paint: { "fill-color": "#e0703a", "fill-opacity": 0.08 } },
      { id: "demand-edge", type: "line", source: "site",
        filter: ["all", kind("demand"), ["==", ["geometry-type"], "Polygon"]] as never,
        paint: { "line-color": "#e0703a", "line-width": 1, "line-dasharray": [3, 3] } },
      // How long ago a place was last looked at; what nobody saw is grey, not green.
      { id: "coverage", type: "fill", source: "coverage",
        paint: {
          "fill-opacity": 0.45,
          "fill-color": ["case", ["==", ["get", "age_s"], null], "#8a8f98",
            ["step", ["get", "age_s"], "#1f9d55", 3600, "#a3b83a", 10800, "#e0a03a", 21600, "#c0562a"]] as never,
        } },
      { id: "no-fly", type: "fill", source: "site", filter: kind("no_fly"),
        paint: { "fill-color": "#c02032", "fill-opacity": 0.2 } },
      { id: "river", type: "line", source: "site", filter: kind("river"),
        paint: { "line-color": "#3d7fb8", "line-width": ["interpolate", ["linear"], ["zoom"], 12, 2, 16, 9] } },
      { id: "line", type: "line", source: "site", filter: kind("line"),
        paint: { "line-color": "#4b4453", "line-width": 1.5 } },
      { id: "tower", type: "circle", source: "site", filter: kind("tower"),
        paint: { "circle-radius": 3, "circle-color": "#4b4453" } },
      { id: "paths", type: "line", source: "paths",
        paint: { "line-color": "#6a4fa3", "line-width": 1, "line-opacity": 0.45 } },
      { id: "trails", type: "line", source: "trails", paint: { "line-color": "#1c39bb", "line-width": 2.5 } },
      { id: "extent", type: "fill", source: "extent",
        paint: { "fill-color": "#d3202f", "fill-opacity": 0.25, "fill-outline-color": "#7f0d18" } },
      { id: "ellipses", type: "fill", source: "ellipses",
        paint: { "fill-color": "#d3202f", "fill-opacity": 0.3, "fill-outline-color": "#7f0d18" } },
    ],
  };
}

const COVERAGE_EVERY_MS = 30_000;

export function MapView({ site }: { site: Site }) {
  const holder = useRef<HTMLDivElement>(null);
  const [showsCoverage, showCoverage] = useState(false);

  useEffect(() => {
    if (!showsCoverage) {
      coverage.value = null;
      return undefined;
    }
    void readCoverage();
    const timer = setInterval(() => void readCoverage(), COVERAGE_EVERY_MS);
    return () => clearInterval(timer);
  }, [showsCoverage]);

  useEffect(() => {
    // What is watched fills the map; the terrain reaches further.
    const watched = site.layers.features.filter((f) => f.properties?.kind === "demand");
    const [west, south, east, north] = boundsOf(watched) ?? site.bounds;
    const chart = new Chart({
      container: holder.current!, style: styleOf(site), attributionControl: false,
      bounds: [[west, south], [east, north]], fitBoundsOptions: { padding: 48 },
    });
    chart.addControl(new NavigationControl({ visualizePitch: false }), "top-left");
    chart.addControl(new ScaleControl({ maxWidth: 140 }), "bottom-left");
    const markers = new Map<string, Marker>();
    const stops: (() => void)[] = [];
    chart.once("load", () => {
      stops.push(
        effect(() => showLines(chart)),
        effect(() => showEllipses(chart)),
        effect(() => fill(chart, "coverage", coverage.value ?? [])),
        effect(() => fill(chart, "extent", shapes(ground.value))),
        effect(() => labels(chart, site, markers)),
        effect(() => { for (const dock of docks.value.values()) placeDock(chart, markers, dock); }),
        effect(() => { for (const drone of drones.value.values()) placeDrone(chart, markers, drone); }),
        effect(() => { for (const incident of incidents.value.values()) placeIncident(chart, markers, incident); }),
        effect(() => focus(chart)),
      );
    });
    return () => {
      stops.forEach((stop) => stop());
      chart.remove();
    };
  }, [site.id]);

  return (
    <main>
      <div class="map" ref={holder} />
      <p class="legend">
        {say("layer_help")}{" "}
        <button aria-pressed={showsCoverage} onClick={() => showCoverage(!showsCoverage)}>{say("coverage")}</button>
        {showsCoverage && <span> {say("coverage_help")}</span>}
      </p>
    </main>
  );
}

function line(coordinates: number[][]): GeoJSON.Feature {
  return { type: "Feature", properties: {}, geometry: { type: "LineString", coordinates } };
}

function shapes(geometry: GeoJSON.Geometry | null): GeoJSON.Feature[] {
  return geometry ? [{ type: "Feature", properties: {}, geometry }] : [];
}

function fill(chart: Chart, source: string, features: GeoJSON.Feature[]): void {
  (chart.getSource(source) as GeoJSONSource | undefined)?.setData({ type: "FeatureCollection", features });
}

function showLines(chart: Chart): void {
  fill(chart, "paths", [...sorties.value.values()].filter((s) => s.path.length > 1).map((s) => line(s.path)));
  fill(chart, "trails", [...trails.value.values()].filter((t) => t.length > 1).map(line));
}

function showEllipses(chart: Chart): void {
  fill(chart, "ellipses", [...incidents.value.values()].map((i) => ({
    type: "Feature", properties: { id: i.id },
    geometry: { type: "Polygon", coordinates: [ellipseRing(i)] },
  })));
}

function focus(chart: Chart): void {
  const pick = chosen.value;
  const incident = pick?.kind === "incident" ? incidents.peek().get(pick.id) : undefined;
  if (incident) chart.easeTo({ center: [incident.lon_deg, incident.lat_deg], zoom: Math.max(chart.getZoom(), 15.5) });
}

function marker(
  chart: Chart, markers: Map<string, Marker>, key: string, className: string, at: [number, number],
): HTMLElement {
  let found = markers.get(key);
  if (!found) {
    found = new Marker({ element: document.createElement("div") }).setLngLat(at).addTo(chart);
    markers.set(key, found);
  }
  found.setLngLat(at);
  const element = found.getElement();
  for (const name of [...element.classList]) if (!name.startsWith("maplibregl")) element.classList.remove(name);
  element.classList.add(...className.split(" "));
  return element;
}

function labels(chart: Chart, site: Site, markers: Map<string, Marker>): void {
  void language.value;
  for (const feature of site.layers.features) {
    const { kind, id, name } = feature.properties as { kind: string; id: string; name: Record<string, string> };
    if (feature.geometry.type !== "Polygon" || (kind !== "village" && kind !== "compartment")) continue;
    const ring = feature.geometry.coordinates[0]!;
    const middle = [0, 1].map((axis) => ring.reduce((sum, p) => sum + p[axis]!, 0) / ring.length);
    marker(chart, markers, `label-${id}`, `label ${kind}`, middle as [number, number]).textContent = named(name);
  }
}

function placeDock(chart: Chart, markers: Map<string, Marker>, dock: Dock): void {
  const element = marker(
    chart, markers, `dock-${dock.id}`, `dock ${dock.door === "open" ? "open" : ""}`.trim(),
    [dock.lon_deg, dock.lat_deg]);
  element.title = `${named(dock.name)} – ${say("door")}: ${code(dock.door)}`;
}

function placeDrone(chart: Chart, markers: Map<string, Marker>, drone: Drone): void {
  if (drone.lon_deg === null || drone.lat_deg === null || drone.state === "docked") {
    markers.get(`drone-${drone.id}`)?.remove();
    markers.delete(`drone-${drone.id}`);
    return;
  }
  const element = marker(
    chart, markers, `drone-${drone.id}`, `drone ${drone.state}`, [drone.lon_deg, drone.lat_deg]);
  element.innerHTML = `<i style="transform:rotate(${Number(drone.heading_deg ?? 0)}deg)">▲</i>`;
  element.append(drone.id);
  element.title = `${drone.id} – ${code(drone.state)}, ${Math.round(drone.battery_percent ?? 0)} %`;
}

function placeIncident(chart: Chart, markers: Map<string, Marker>, incident: Incident): void {
  const element = marker(
    chart, markers, `incident-${incident.id}`, `incident ${incident.severity} ${incident.state}`,
    [incident.lon_deg, incident.lat_deg]);
  element.title = `${code(incident.hazard)} – ${named(incident.place_name)}`;
  element.tabIndex = 0;
  element.setAttribute("role", "button");
  element.onclick = () => { chosen.value = { kind: "incident", id: incident.id }; };
}
