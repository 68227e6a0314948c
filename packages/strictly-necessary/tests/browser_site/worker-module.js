import "./write.js";
