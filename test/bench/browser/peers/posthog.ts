/** As its documentation installs it: capture by itself, flags from its server. */
import posthog from "posthog-js";

posthog.init("k", { api_host: "https://peer.example" });
posthog.identify("u", { plan: "pro" });
posthog.capture("Product Viewed", { sku: "1" });
posthog.isFeatureEnabled("hero");
