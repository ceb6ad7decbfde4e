/** Flags decided in the browser, attributes and page views by its own plugins. */
import { GrowthBook } from "@growthbook/growthbook";
import { autoAttributesPlugin, growthbookTrackingPlugin } from "@growthbook/growthbook/plugins";

const growthbook = new GrowthBook({
  apiHost: "https://peer.example",
  clientKey: "k",
  attributes: { id: "1", plan: "pro" },
  plugins: [autoAttributesPlugin(), growthbookTrackingPlugin()],
});
growthbook.init({ timeout: 500 }).then(() => {
  growthbook.getFeatureValue("hero", "a");
  growthbook.logEvent("Product Viewed", { sku: "1" });
});
