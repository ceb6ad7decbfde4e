/** The shop's pictures, drawn: products on a 400 × 400 canvas, landscapes for the hero. Strings only; the build writes them as SVG files. */

export interface Palette {
  main: string;
  side: string;
  sole: string;
  dark: string;
}

const ground = (width: number, y = 322) =>
  `<ellipse cx="200" cy="${y}" rx="${width}" ry="11" fill="#000" opacity=".12"/>`;

const DRAWINGS = {
  runner: ({ main, side, sole, dark }: Palette) => `${ground(150)}
    <path d="M64 262C60 286 62 304 84 308H322C350 308 368 296 365 272 362 260 348 258 336 261 280 272 140 252 64 262Z" fill="${sole}"/>
    <path d="M70 300 78 318H94L98 308H122L126 318H142L146 308H170L174 318H190L194 308H218L222 318H238L242 308H266L270 318H286L290 308H312L318 316H334C350 312 362 300 364 286 350 300 336 302 318 302H92Z" fill="${dark}"/>
    <path d="M70 272C62 236 68 198 80 168 84 158 94 158 102 164 118 178 136 182 152 174L176 142C182 134 194 136 198 146 214 184 252 208 300 220 336 229 354 246 354 268 300 284 150 262 70 272Z" fill="${main}"/>
    <path d="M70 272C62 236 68 198 80 168 84 158 94 158 102 164 106 168 110 170 114 172 100 204 98 240 106 268Z" fill="${dark}" opacity=".28"/>
    <path d="M300 220C336 229 354 246 354 268 336 274 312 275 288 274 284 252 288 234 300 220Z" fill="${dark}" opacity=".22"/>
    <path d="M128 268C152 252 172 230 186 196L206 206C196 236 182 256 164 268Z" fill="${side}"/>
    <path d="M180 270C200 258 216 240 226 216L244 224C238 246 228 260 214 272Z" fill="${side}" opacity=".75"/>
    <path d="M152 174 176 142C182 134 194 136 198 146 204 160 212 172 222 182L204 200C186 196 166 188 152 174Z" fill="${side}"/>
    <g stroke="${sole}" stroke-width="6" stroke-linecap="round"><path d="M176 168 204 160"/><path d="M188 186 216 174"/><path d="M204 202 232 190"/><path d="M224 214 250 202"/></g>
    <path d="M74 190C70 206 68 222 69 240" stroke="${side}" stroke-width="8" stroke-linecap="round" fill="none"/>
    <path d="M66 270C140 260 280 280 350 266" stroke="#fff" stroke-opacity=".45" stroke-width="4" fill="none"/>`,

  boot: ({ main, side, sole, dark }: Palette) => `${ground(150)}
    <path d="M70 270C66 292 70 304 90 306H330C352 306 366 294 362 274 300 266 140 262 70 270Z" fill="${sole}"/>
    <path d="M68 290 74 320H104L108 308H136L140 320H168L172 308H200L204 320H232L236 308H264L268 320H296L300 308H322L328 318H346C358 312 364 302 364 290 350 302 336 300 320 300H90Z" fill="${dark}"/>
    <path d="M74 274C70 220 78 160 76 110 76 98 84 92 96 94L176 98C188 99 194 106 194 116 196 164 222 200 282 214 330 224 354 242 354 272 270 284 150 268 74 274Z" fill="${main}"/>
    <path d="M282 214C330 224 354 242 354 272 330 276 304 277 278 276 270 252 272 230 282 214Z" fill="${dark}" opacity=".3"/>
    <path d="M74 274C72 246 73 216 75 186 104 190 120 214 122 272Z" fill="${dark}" opacity=".25"/>
    <path d="M76 110C76 98 84 92 96 94L176 98C188 99 194 106 194 116L194 126C160 134 110 132 77 126Z" fill="${side}"/>
    <path d="M170 128C172 172 192 206 240 224L262 210C220 196 198 168 194 126Z" fill="${side}" opacity=".85"/>
    <g stroke="${sole}" stroke-width="6" stroke-linecap="round"><path d="M164 140 196 136"/><path d="M168 160 201 153"/><path d="M176 180 210 170"/><path d="M190 200 224 186"/><path d="M210 216 244 200"/></g>
    <path d="M130 270C150 240 156 196 152 138" stroke="${dark}" stroke-opacity=".35" stroke-width="3" stroke-dasharray="7 6" fill="none"/>
    <path d="M94 94C92 82 104 76 112 84L112 96" fill="none" stroke="${dark}" stroke-width="6" stroke-linecap="round"/>`,

  slide: ({ main, side, sole, dark }: Palette) => `${ground(150, 300)}
    <path d="M52 252C50 238 60 232 74 236 150 258 260 258 332 240 352 236 364 246 360 262 356 282 340 290 316 290H92C68 290 54 276 52 252Z" fill="${sole}"/>
    <path d="M54 262C60 280 74 290 92 290H316C340 290 356 280 360 262 300 282 120 284 54 262Z" fill="${side}"/>
    <path d="M150 258C150 196 190 164 246 170 300 176 334 204 342 242 340 258 326 262 312 262 262 270 200 270 150 258Z" fill="${main}"/>
    <path d="M214 250C214 214 236 190 270 184 306 192 330 212 338 240 300 252 256 256 214 250Z" fill="#fff" opacity=".1"/>
    <path d="M166 226C184 188 218 176 258 178" stroke="#fff" stroke-opacity=".5" stroke-width="5" stroke-linecap="round" fill="none"/>
    <g fill="${dark}" opacity=".45"><circle cx="236" cy="214" r="6"/><circle cx="262" cy="212" r="6"/><circle cx="288" cy="216" r="6"/><circle cx="248" cy="234" r="6"/><circle cx="276" cy="234" r="6"/></g>
    <path d="M70 240C80 250 110 256 140 258" stroke="${dark}" stroke-opacity=".3" stroke-width="4" stroke-linecap="round" fill="none"/>`,

  shell: ({ main, side, sole, dark }: Palette) => `${ground(104, 352)}
    <path d="M136 116 96 140C82 150 76 166 74 184L56 306C55 316 60 320 68 321L92 322C99 322 103 318 104 312L118 236Z" fill="${main}"/>
    <path d="M264 116 304 140C318 150 324 166 326 184L344 306C345 316 340 320 332 321L308 322C301 322 297 318 296 312L282 236Z" fill="${main}"/>
    <path d="M136 116 96 140C82 150 76 166 74 184L70 212 122 214ZM264 116 304 140C318 150 324 166 326 184L330 212 278 214Z" fill="${side}"/>
    <path d="M132 114C150 100 170 92 200 92 230 92 250 100 268 114L286 330C287 340 282 346 272 346H128C118 346 113 340 114 330Z" fill="${main}"/>
    <path d="M132 114C150 100 170 92 200 92 230 92 250 100 268 114L274 184C230 196 170 196 126 184Z" fill="${side}"/>
    <path d="M144 112C138 70 164 44 200 44 236 44 262 70 256 112 240 130 222 136 200 136 178 136 160 130 144 112Z" fill="${main}"/>
    <path d="M160 112C156 84 174 66 200 66 226 66 244 84 240 112 228 124 214 128 200 128 186 128 172 124 160 112Z" fill="${dark}"/>
    <path d="M160 112C172 124 186 128 200 128 214 128 228 124 240 112 236 140 216 150 200 150 184 150 164 140 160 112Z" fill="${side}"/>
    <path d="M200 130V346" stroke="${dark}" stroke-opacity=".7" stroke-width="5"/>
    <rect x="195" y="150" width="10" height="22" rx="4" fill="${sole}"/>
    <path d="M140 262 168 212M260 262 232 212" stroke="${dark}" stroke-opacity=".55" stroke-width="5" stroke-linecap="round"/>
    <path d="M62 300 98 304M338 300 302 304" stroke="${dark}" stroke-opacity=".35" stroke-width="5"/>
    <path d="M116 330H284" stroke="${dark}" stroke-opacity=".2" stroke-width="4"/>
    <path d="M226 164h26" stroke="${sole}" stroke-width="6" stroke-linecap="round"/>`,

  puffer: ({ main, side, sole, dark }: Palette) => `${ground(108, 348)}
    <path d="M134 104 92 126C74 138 68 156 66 178L50 300C49 312 54 316 64 317L94 318C102 318 106 314 107 306L122 230Z" fill="${main}"/>
    <path d="M266 104 308 126C326 138 332 156 334 178L350 300C351 312 346 316 336 317L306 318C298 318 294 314 293 306L278 230Z" fill="${main}"/>
    <g stroke="${dark}" stroke-opacity=".28" stroke-width="4" fill="none" stroke-linecap="round"><path d="M80 146C96 160 112 164 128 162M68 186C86 198 106 200 124 198M63 224C80 234 102 236 120 234M58 262C74 270 96 272 113 270"/><path d="M320 146C304 160 288 164 272 162M332 186C314 198 294 200 276 198M337 224C320 234 298 236 280 234M342 262C326 270 304 272 287 270"/></g>
    <path d="M128 106C144 92 168 84 200 84 232 84 256 92 272 106L288 322C289 334 282 342 270 342H130C118 342 111 334 112 322Z" fill="${main}"/>
    <g fill="${side}" opacity=".6"><path d="M128 108C168 122 232 122 272 108L274 130C232 144 168 144 126 130Z"/><path d="M122 186C168 200 232 200 278 186L280 206C232 220 168 220 120 206Z"/><path d="M117 262C168 276 232 276 283 262L284 282C232 296 168 296 116 282Z"/></g>
    <g stroke="${dark}" stroke-opacity=".28" stroke-width="4" fill="none"><path d="M126 148C170 162 230 162 274 148M122 186C170 200 230 200 278 186M119 226C170 240 230 240 281 226M116 264C170 278 230 278 284 264M113 304C170 316 230 316 287 304"/></g>
    <path d="M148 100C146 72 168 58 200 58 232 58 254 72 252 100 236 112 220 116 200 116 180 116 164 112 148 100Z" fill="${side}"/>
    <path d="M164 98C164 82 180 74 200 74 220 74 236 82 236 98 224 106 212 108 200 108 188 108 176 106 164 98Z" fill="${dark}"/>
    <path d="M200 108V342" stroke="${sole}" stroke-width="5"/>
    <path d="M226 132h28v14h-28z" fill="${sole}" opacity=".9"/>`,

  vest: ({ main, side, sole, dark }: Palette) => `${ground(100, 344)}
    <path d="M132 96C150 84 172 78 200 78 228 78 250 84 268 96 262 130 270 162 290 184L296 318C297 330 290 338 278 338H122C110 338 103 330 104 318L110 184C130 162 138 130 132 96Z" fill="${main}"/>
    <path d="M132 96C136 94 140 91 145 89 150 126 142 164 112 196L110 184C130 162 138 130 132 96ZM268 96C264 94 260 91 255 89 250 126 258 164 288 196L290 184C270 162 262 130 268 96Z" fill="${dark}" opacity=".55"/>
    <g fill="${side}" opacity=".55"><path d="M109 206C160 220 240 220 291 206L292 230C240 244 160 244 108 230Z"/><path d="M106 274C160 288 240 288 294 274L295 298C240 310 160 310 105 298Z"/><path d="M143 130C176 140 224 140 257 130L262 154C224 164 176 164 138 154Z"/></g>
    <g stroke="${dark}" stroke-opacity=".35" stroke-width="4" fill="none"><path d="M143 128C176 138 224 138 257 128M126 168C170 180 230 180 274 168M109 206C160 220 240 220 291 206M107 240C160 254 240 254 293 240M106 274C160 288 240 288 294 274M105 306C160 318 240 318 295 306"/></g>
    <path d="M152 90C150 66 172 54 200 54 228 54 250 66 248 90 234 102 218 106 200 106 182 106 166 102 152 90Z" fill="${side}"/>
    <path d="M168 88C168 74 182 68 200 68 218 68 232 74 232 88 222 96 212 98 200 98 188 98 178 96 168 88Z" fill="${dark}"/>
    <path d="M200 98V338" stroke="${sole}" stroke-width="5"/>
    <path d="M124 286 148 236M276 286 252 236" stroke="${dark}" stroke-opacity=".7" stroke-width="5" stroke-linecap="round"/>`,

  trek: ({ main, side, sole, dark }: Palette) => `${ground(96, 350)}
    <path d="M112 150C96 170 92 220 94 280 95 296 104 304 118 306V150ZM288 150C304 170 308 220 306 280 305 296 296 304 282 306V150Z" fill="${side}"/>
    <path d="M126 104H274C286 130 292 180 292 236L288 326C287 338 280 346 268 346H132C120 346 113 338 112 326L108 236C108 180 114 130 126 104Z" fill="${main}"/>
    <path d="M118 116C114 84 134 62 166 58H234C266 62 286 84 282 116 280 134 268 142 252 142H148C132 142 120 134 118 116Z" fill="${side}"/>
    <path d="M174 58C174 38 186 32 200 32 214 32 226 38 226 58" fill="none" stroke="${dark}" stroke-width="8"/>
    <path d="M140 96H260" stroke="${dark}" stroke-opacity=".3" stroke-width="5" stroke-linecap="round"/>
    <path d="M148 176H252C258 214 260 252 256 282 254 292 248 296 240 296H160C152 296 146 292 144 282 140 252 142 214 148 176Z" fill="${dark}" opacity=".25"/>
    <path d="M152 206H248" stroke="${sole}" stroke-width="6" stroke-linecap="round"/>
    <g stroke="${dark}" stroke-width="9"><path d="M152 130V346M248 130V346"/></g>
    <rect x="142" y="150" width="20" height="24" rx="5" fill="${sole}"/><rect x="238" y="150" width="20" height="24" rx="5" fill="${sole}"/>
    <path d="M130 320H270" stroke="${dark}" stroke-opacity=".4" stroke-width="5"/>
    <path d="M296 140 306 330" stroke="${dark}" stroke-width="6" stroke-linecap="round"/><path d="M298 134 292 110" stroke="${sole}" stroke-width="9" stroke-linecap="round"/>`,

  daypack: ({ main, side, sole, dark }: Palette) => `${ground(96, 340)}
    <path d="M118 178C96 194 90 230 92 290 92 302 100 308 110 308H124Z" fill="${side}"/><path d="M282 178C304 194 310 230 308 290 308 302 300 308 290 308H276Z" fill="${side}"/>
    <path d="M172 78C172 54 184 48 200 48 216 48 228 54 228 78" fill="none" stroke="${dark}" stroke-width="9"/>
    <path d="M112 190C112 112 142 74 200 74 258 74 288 112 288 190L292 308C292 326 284 336 266 336H134C116 336 108 326 108 308Z" fill="${main}"/>
    <path d="M114 176C118 108 148 74 200 74 252 74 282 108 286 176 260 160 232 154 200 154 168 154 140 160 114 176Z" fill="${side}"/>
    <path d="M118 168C144 152 170 146 200 146 230 146 256 152 282 168" fill="none" stroke="${dark}" stroke-opacity=".6" stroke-width="5"/>
    <path d="M136 224C136 212 144 206 156 206H244C256 206 264 212 264 224V300C264 312 256 318 244 318H156C144 318 136 312 136 300Z" fill="${dark}" opacity=".22"/>
    <path d="M140 232C170 226 230 226 260 232" stroke="${sole}" stroke-width="6" stroke-linecap="round" fill="none"/>
    <path d="M252 232V254" stroke="${sole}" stroke-width="6" stroke-linecap="round"/>
    <path d="M186 108H214V124H186Z" fill="${sole}"/>`,

  runvest: ({ main, side, sole, dark }: Palette) => `${ground(92, 344)}
    <path d="M128 70C142 60 156 66 160 80 166 112 170 150 176 190L180 320C180 332 172 338 160 338H122C108 338 100 330 102 314L112 230C106 190 104 110 128 70Z" fill="${main}"/>
    <path d="M272 70C258 60 244 66 240 80 234 112 230 150 224 190L220 320C220 332 228 338 240 338H278C292 338 300 330 298 314L288 230C294 190 296 110 272 70Z" fill="${main}"/>
    <path d="M136 66C150 40 250 40 264 66 258 62 246 66 242 76 224 62 176 62 158 76 154 66 144 62 136 66Z" fill="${dark}"/>
    <path d="M112 166H166L172 254H114Z" fill="${side}" opacity=".4"/><path d="M288 166H234L228 254H286Z" fill="${side}" opacity=".4"/>
    <path d="M122 136C122 128 128 124 134 124H146C152 124 158 128 158 136V232C158 242 152 248 140 248 128 248 122 242 122 232Z" fill="${side}"/><rect x="132" y="98" width="16" height="28" rx="6" fill="${sole}"/>
    <path d="M278 136C278 128 272 124 266 124H254C248 124 242 128 242 136V232C242 242 248 248 260 248 272 248 278 242 278 232Z" fill="${side}"/><rect x="252" y="98" width="16" height="28" rx="6" fill="${sole}"/>
    <path d="M112 196H170M288 196H230" stroke="${dark}" stroke-width="7"/>
    <path d="M172 168H228M176 236H224" stroke="${sole}" stroke-width="7"/><rect x="190" y="158" width="20" height="20" rx="5" fill="${dark}"/><rect x="190" y="226" width="20" height="20" rx="5" fill="${dark}"/>
    <path d="M110 284H178M290 284H222" stroke="${side}" stroke-width="5" stroke-opacity=".8"/>
    <path d="M122 304 142 322M278 304 258 322" stroke="${sole}" stroke-width="5" stroke-linecap="round"/>`,

  duffel: ({ main, side, sole, dark }: Palette) => `${ground(152, 302)}
    <path d="M92 158C84 158 56 176 52 220 52 260 64 286 90 292H310C336 286 348 260 348 220 344 176 316 158 308 158Z" fill="${main}"/>
    <path d="M92 158C72 170 64 196 64 224 64 254 74 282 94 292H90C64 286 52 260 52 220 56 176 84 158 92 158ZM308 158C328 170 336 196 336 224 336 254 326 282 306 292H310C336 286 348 260 348 220 344 176 316 158 308 158Z" fill="${dark}" opacity=".35"/>
    <path d="M82 164C92 158 100 158 108 158H292C300 158 308 158 318 164 326 176 330 190 332 204H68C70 190 74 176 82 164Z" fill="${side}"/>
    <path d="M96 180H304" stroke="${dark}" stroke-width="6" stroke-linecap="round"/><path d="M288 180V198" stroke="${sole}" stroke-width="7" stroke-linecap="round"/>
    <path d="M132 158V292M268 158V292" stroke="${dark}" stroke-width="15"/>
    <path d="M132 164C136 96 172 82 200 82 228 82 264 96 268 164" fill="none" stroke="${dark}" stroke-width="11"/>
    <path d="M176 84H224" stroke="${sole}" stroke-width="17" stroke-linecap="round"/>
    <rect x="164" y="228" width="72" height="36" rx="6" fill="${sole}" opacity=".9"/><path d="M178 254 192 238 202 248 212 236 224 254Z" fill="${dark}"/>`,

  tent: ({ main, side, sole, dark }: Palette) => `${ground(172, 308)}
    <path d="M186 104C120 170 76 240 36 302H240Z" fill="${main}"/>
    <path d="M186 104C238 150 314 226 366 302H238Z" fill="${side}"/>
    <path d="M186 104C214 128 252 164 288 204L264 302H238Z" fill="#000" opacity=".07"/>
    <path d="M170 142C140 190 122 250 114 302H210C206 240 194 184 170 142Z" fill="${dark}"/>
    <path d="M170 142C152 172 138 210 128 250 150 262 158 284 156 302H114C122 250 140 190 170 142Z" fill="${sole}"/>
    <path d="M190 86C120 160 70 236 28 306M182 86C244 140 322 218 374 306" fill="none" stroke="${dark}" stroke-width="5" stroke-linecap="round"/>
    <path d="M36 302H366" stroke="${dark}" stroke-width="5" stroke-linecap="round"/>
    <path d="M282 222 316 302M74 248 30 308M330 252 382 310" stroke="${dark}" stroke-opacity=".35" stroke-width="3"/>
    <path d="M248 176 276 202 262 214 240 186Z" fill="${sole}" opacity=".75"/>`,

  bag: ({ main, side, sole, dark }: Palette) => `${ground(92, 350)}
    <path d="M200 36C254 36 284 72 288 124 296 190 280 262 262 318 256 338 234 348 200 348 166 348 144 338 138 318 120 262 104 190 112 124 116 72 146 36 200 36Z" fill="${main}"/>
    <path d="M200 48C240 48 264 74 264 108 264 140 236 158 200 158 164 158 136 140 136 108 136 74 160 48 200 48Z" fill="${dark}"/>
    <path d="M200 74C230 74 250 92 250 116 250 140 228 150 200 150 172 150 150 140 150 116 150 92 170 74 200 74Z" fill="${side}"/>
    <g fill="none" stroke="${dark}" stroke-opacity=".4" stroke-width="4"><path d="M111 170C150 190 250 190 289 170M114 206C150 226 250 226 287 206M121 242C150 262 250 262 279 242M130 278C156 296 244 296 270 278M138 312C160 326 240 326 262 312"/></g>
    <path d="M228 154C236 210 232 270 220 346" fill="none" stroke="${sole}" stroke-width="6"/><path d="M229 168 238 186" stroke="${sole}" stroke-width="8" stroke-linecap="round"/>
    <path d="M126 84C140 58 164 46 200 44" fill="none" stroke="#fff" stroke-opacity=".35" stroke-width="6" stroke-linecap="round"/>`,

  stove: ({ main, side, sole, dark }: Palette) => `${ground(92, 346)}
    <path d="M138 262C138 250 150 244 200 244 250 244 262 250 262 262V328C262 340 246 346 200 346 154 346 138 340 138 328Z" fill="${sole}"/>
    <path d="M138 282C150 292 250 292 262 282V316C250 326 150 326 138 316Z" fill="#fff" opacity=".85"/>
    <path d="M180 310 194 292 202 302 210 294 222 310Z" fill="${dark}"/>
    <path d="M188 212H212V248H188Z" fill="${dark}"/><path d="M212 222H258" stroke="${dark}" stroke-width="6" stroke-linecap="round"/><circle cx="266" cy="222" r="11" fill="none" stroke="${dark}" stroke-width="6"/>
    <path d="M164 190H236L226 214H174Z" fill="${main}"/>
    <path d="M170 190 116 166V156L176 178M230 190 284 166V156L224 178" fill="${dark}"/>
    <path d="M200 190C176 180 178 160 190 148 190 160 198 160 198 142 214 154 224 176 200 190Z" fill="${sole}"/><path d="M200 188C190 182 190 172 197 164 199 172 210 176 200 188Z" fill="#ffe08a"/>
    <path d="M112 78H288V138C288 150 280 156 268 156H132C120 156 112 150 112 138Z" fill="${side}"/>
    <path d="M112 78H148V156H132C120 156 112 150 112 138Z" fill="#000" opacity=".1"/>
    <path d="M104 72H296V86H104Z" fill="${main}"/><path d="M288 98H326C336 98 336 132 326 132H288" fill="none" stroke="${dark}" stroke-width="7"/>
    <path d="M176 56C166 44 186 38 176 24M212 56C202 44 222 38 212 24" fill="none" stroke="${main}" stroke-opacity=".6" stroke-width="5" stroke-linecap="round"/>`,

  lantern: ({
    main,
    side,
    sole,
    dark,
  }: Palette) => `<circle cx="200" cy="196" r="130" fill="${sole}" opacity=".22"/>${ground(80, 340)}
    <path d="M148 110C148 50 252 50 252 110" fill="none" stroke="${dark}" stroke-width="8" stroke-linecap="round"/>
    <path d="M150 96H250C260 96 266 102 266 112V126H134V112C134 102 140 96 150 96Z" fill="${main}"/>
    <path d="M144 126H256V272H144Z" fill="${sole}"/>
    <path d="M200 148C226 180 228 214 200 246 172 214 174 180 200 148Z" fill="#fff" opacity=".75"/>
    <path d="M152 126V272M248 126V272" stroke="${side}" stroke-width="8"/><path d="M144 198H256" stroke="${side}" stroke-opacity=".55" stroke-width="5"/>
    <path d="M130 272H270V312C270 330 262 338 248 338H152C138 338 130 330 130 312Z" fill="${main}"/>
    <path d="M130 272H270V288H130Z" fill="${side}"/><circle cx="200" cy="312" r="10" fill="${sole}"/>`,

  bottle: ({ main, side, sole, dark }: Palette) => `${ground(66, 354)}
    <path d="M172 54H228C234 54 238 58 238 64V96H162V64C162 58 166 54 172 54Z" fill="${dark}"/>
    <path d="M176 54C176 30 224 30 224 54" fill="none" stroke="${dark}" stroke-width="9"/>
    <path d="M166 96H234V112C262 124 268 142 268 166V326C268 344 258 352 242 352H158C142 352 132 344 132 326V166C132 142 138 124 166 112Z" fill="${main}"/>
    <path d="M166 112C138 124 132 142 132 166V326C132 344 142 352 158 352H170V120Z" fill="${side}" opacity=".75"/>
    <path d="M166 96H234V108H166Z" fill="${sole}"/><path d="M132 300H268V326C268 344 258 352 242 352H158C142 352 132 344 132 326Z" fill="${dark}" opacity=".28"/>
    <path d="M172 246 196 206 208 224 220 208 242 246Z" fill="${sole}"/>`,
};

export type Drawing = keyof typeof DRAWINGS;

/** A product's picture. Transparent: the card gives the ground. */
export function drawProduct(drawing: Drawing, palette: Palette): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400">${DRAWINGS[drawing](palette)}</svg>\n`;
}

/** The shop's mark: a ridge and its shadow. */
export function drawMark(): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="9" fill="#17403a"/><path d="M4 24 13 9l5 8 3-4 7 11z" fill="#f3ede2"/><path d="m13 9 5 8-3 7h-6l4-6z" fill="#d8572a"/></svg>\n`;
}

interface Scene {
  sky: [string, string];
  /** x, y, radius, colour. */
  sun: [number, number, number, string];
  /** Far to near. */
  ridges: [string, string, string, string];
  /** Between the last ridge and the trees. */
  extra?: string;
  /** In front of everything. */
  front?: string;
}

const TREES = [40, 92, 150, 1010, 1070, 1118, 1180, 1240, 1300, 1362]
  .map((x, i) => {
    const height = 90 + ((i * 37) % 60);
    const y = 560 + ((i * 53) % 34);
    return `<path d="M${x} ${y}l-22 0 14-${height * 0.34}h-9l12-${height * 0.3}h-7l12-${height * 0.36} 12 ${height * 0.36}h-7l12 ${height * 0.3}h-9l14 ${height * 0.34}z"/>`;
  })
  .join("");

const STARS = [
  [120, 70],
  [260, 130],
  [390, 54],
  [520, 110],
  [640, 40],
  [760, 92],
  [905, 60],
  [1130, 130],
  [1210, 60],
  [1330, 104],
  [700, 160],
  [330, 190],
]
  .map(([x, y], i) => `<circle cx="${x}" cy="${y}" r="${1.6 + (i % 3) * 0.7}"/>`)
  .join("");

const SCENES: { [name: string]: Scene } = {
  default: {
    sky: ["#dfe9ea", "#f7e7cf"],
    sun: [1040, 200, 62, "#fff6e2"],
    ridges: ["#a9c0bf", "#76979a", "#3f6a68", "#17403a"],
  },
  shoes: {
    sky: ["#f5b27a", "#fde4bd"],
    sun: [1010, 236, 84, "#fff3d4"],
    ridges: ["#d98a63", "#b65f45", "#7c3b33", "#3f1f22"],
    extra: `<path d="M690 640C660 560 560 545 590 500 610 470 710 470 690 430 676 404 640 396 652 366" fill="none" stroke="#ffe9c4" stroke-width="9" stroke-linecap="round" stroke-dasharray="2 20" opacity=".9"/>`,
  },
  jackets: {
    sky: ["#7f96a6", "#cbd5d6"],
    sun: [1040, 190, 54, "#e6ecec"],
    ridges: ["#8ea3ac", "#657f8c", "#3f5866", "#1f323d"],
    extra: `<g stroke="#fff" stroke-opacity=".34" stroke-width="3" stroke-linecap="round">${Array.from({ length: 54 }, (_, i) => `<path d="M${20 + ((i * 619) % 1410)} ${10 + ((i * 331) % 500)}l-13 34"/>`).join("")}</g>`,
  },
  packs: {
    sky: ["#cfe3d6", "#f3f0d6"],
    sun: [1020, 200, 60, "#fffbe4"],
    ridges: ["#9fc1a5", "#6b9a78", "#3a6d52", "#153a2c"],
  },
  camping: {
    sky: ["#141d3b", "#4b4a78"],
    sun: [1030, 150, 46, "#f6edd0"],
    ridges: ["#3e4170", "#2c3059", "#1d2143", "#0d1128"],
    extra: `<g fill="#fff" opacity=".85">${STARS}</g>`,
    front: `<g transform="translate(556 432) scale(.52)"><circle cx="190" cy="230" r="190" fill="#ffb74a" opacity=".18"/>${DRAWINGS.tent({ main: "#f6b04a", side: "#d98520", sole: "#ffe3a6", dark: "#5a3409" })}</g>`,
  },
  gold: {
    sky: ["#12332b", "#3d6b57"],
    sun: [1030, 190, 70, "#f0c869"],
    ridges: ["#41705c", "#2b5747", "#173d32", "#0a211b"],
    extra: `<g fill="#f0c869" opacity=".7">${STARS}</g>`,
  },
};

/** Names of the landscapes: `default`, one per category, `gold`. */
export const SCENE_NAMES = Object.keys(SCENES);

export function drawScene(name: string): string {
  const { sky, sun, ridges, extra = "", front = "" } = SCENES[name]!;
  const [x, y, radius, light] = sun;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1440 640" preserveAspectRatio="xMidYMax slice">
<defs><linearGradient id="s" x2="0" y2="1"><stop stop-color="${sky[0]}"/><stop offset="1" stop-color="${sky[1]}"/></linearGradient></defs>
<path fill="url(#s)" d="M0 0h1440v640H0z"/><circle cx="${x}" cy="${y}" r="${radius * 2.1}" fill="${light}" opacity=".25"/><circle cx="${x}" cy="${y}" r="${radius}" fill="${light}"/>
<path fill="${ridges[0]}" d="M0 420l110-60 90 34 150-118 96 74 120-66 130 96 150-170 60 52 58-34 170 168 120-58 186 92v240H0z"/>
<path fill="#fff" opacity=".35" d="M846 210l60 52 58-34 46 46-46-4-34 26-44-30-60 22-26-26z"/>
<path fill="${ridges[1]}" d="M0 470l150-40 140 50 170-110 120 66 150-48 160 74 190-130 140 108 220-40v280H0z"/>
<path fill="${ridges[2]}" d="M0 530c160-50 300-10 440-28s240-64 400-24 300 20 600-46v220H0z"/>
${extra}<g fill="${ridges[3]}">${TREES}<path d="M0 590c200-40 420-18 620-6s520 14 820-34v100H0z"/></g>${front}</svg>\n`;
}
