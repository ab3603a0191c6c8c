// The service's clock, as last told and run on here. A scaled service has a scaled clock.

export class ServiceClock {
  #told = Date.now();
  #at = performance.now();
  speed = 1;
  known = false; // until the service has said what time it is

  tell(now, speed = this.speed) {
    this.known = true;
    this.#told = Date.parse(now);
    this.#at = performance.now();
    this.speed = speed;
  }

  now() {
    return this.#told + (performance.now() - this.#at) * this.speed;
  }
}
