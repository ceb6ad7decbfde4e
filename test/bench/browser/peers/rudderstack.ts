import { RudderAnalytics } from "@rudderstack/analytics-js";

const analytics = new RudderAnalytics();
analytics.load("k", "https://peer.example", {});
analytics.page();
analytics.identify("u", { plan: "pro" });
analytics.track("Product Viewed", { sku: "1" });
