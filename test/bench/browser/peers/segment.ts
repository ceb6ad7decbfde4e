import { AnalyticsBrowser } from "@segment/analytics-next";

const analytics = AnalyticsBrowser.load({ writeKey: "k" });
analytics.page();
analytics.identify("u", { plan: "pro" });
analytics.track("Product Viewed", { sku: "1" });
