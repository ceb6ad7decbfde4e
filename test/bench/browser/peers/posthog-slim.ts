/** The smallest of its builds: no capture by itself, nothing loaded later. */
import posthog from "posthog-js/dist/module.slim.no-external";

posthog.init("k", { api_host: "https://peer.example" });
posthog.identify("u", { plan: "pro" });
posthog.capture("Product Viewed", { sku: "1" });
