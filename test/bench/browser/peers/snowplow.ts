import {
  enableActivityTracking,
  newTracker,
  setUserId,
  trackPageView,
  trackStructEvent,
} from "@snowplow/browser-tracker";

newTracker("sp", "https://peer.example", { appId: "shop" });
enableActivityTracking({ minimumVisitLength: 10, heartbeatDelay: 10 });
setUserId("u");
trackPageView();
trackStructEvent({ category: "shop", action: "Product Viewed", label: "1" });
