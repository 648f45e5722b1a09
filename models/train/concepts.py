"""What may truly be said of a photo: names, synonyms and hypernyms of its labels and objects."""
from __future__ import annotations

import re

from .wordnet import WordNet

# Labels whose first WordNet noun sense is not the thing in the photo: another headword, or a sense.
# (headword, n): its n-th noun sense; (headword, "x"): the first sense that has x above it.
SENSES = {
    "leopard": ("leopard", "animal"), "beaver": ("beaver", "animal"), "barrel": ("barrel", "vessel"),
    "crayfish": ("crayfish", "animal"), "dalmatian": ("dalmatian", "animal"), "dolphin": ("dolphin", "mammal"),
    "octopus": ("octopus", "animal"), "scorpion": ("scorpion", "animal"), "seahorse": ("seahorse", "fish"),
    "lobster": ("lobster", "animal"), "emu": ("emu", "animal"), "wrench": ("wrench", "tool"), "strawberry": ("strawberry", "fruit"),
    "mushroom": ("mushroom", "vegetable"), "garlic": ("garlic", "vegetable"), "ginger": ("ginger", "spice"),
    "carrots": ("carrot", "vegetable"), "satsumas": ("satsuma", "fruit"), "peach": ("peach", "fruit"), "crab": ("crab", "animal"),
    "pyramid": ("pyramid", "memorial"), "hedgehog": ("hedgehog", "mammal"), "pigeon": ("pigeon", "bird"), "ewer": ("ewer", "vessel"),
    "nautilus shell": ("nautilus", "animal"), "stapler": ("stapler", "machine"), "daisy": ("daisy", "flower"),
    "bass fish": ("bass", 8), "bonsai tree": ("bonsai", 1), "buddha statue": ("statue", 1), "lotus": ("lotus", 1),
    "crane": ("crane", 4), "cup": ("cup", 1), "tick": ("tick", 2), "wild cat": ("wildcat", 3),
    "sea turtle": ("sea turtle", 1), "face of a person": ("face", 1), 
    "table lamp": ("table lamp", 1), "wooden chair": ("chair", 1), "rhino": ("rhinoceros", 1),
    "garfield cartoon cat": ("cartoon", 1), "snoopy cartoon dog": ("cartoon", 1), "inline skate": ("skate", 1),
    "sailing ship": ("schooner", 2), "headphone": ("headphone", 1), "motorcycle": ("motorcycle", 1),
    "orange": ("orange", 1), "pepper": ("pepper", 4), "aubergine": ("eggplant", 1),
    "red beet": ("beet", 2), "red grapefruit": ("grapefruit", 2),
    "kiwi": ("kiwi", 3), "lemon": ("lemon", 1), "lime": ("lime", 6), "plum": ("plum", 2),
    "pear": ("pear", 1), "mango": ("mango", 2), "papaya": ("papaya", 2), "apple": ("apple", 1),
    "tomato": ("tomato", 1), "potato": ("potato", 1), "onion": ("onion", 3), 
    "leek": ("leek", 2), "cabbage": ("cabbage", 1), "cucumber": ("cucumber", 2),
    "asparagus": ("asparagus", 2), "avocado": ("avocado", 1), "banana": ("banana", 2), "zucchini": ("zucchini", 2),
    "nectarine": ("nectarine", 2), "pomegranate": ("pomegranate", 2),
    "pineapple": ("pineapple", 2), "passion fruit": ("passion fruit", 1), "melon": ("melon", 1),
    "yoghurt": ("yogurt", 1), "milk": ("milk", 1), "juice": ("juice", 1), "buildings": ("building", 1),
    "pants": ("trouser", 1), "shoes": ("shoe", 1), "shorts": ("short pants", 1), "t-shirt": ("jersey", 3),
    "long sleeve shirt": ("shirt", 1), "hat": ("hat", 1), "dress": ("dress", 1), "skirt": ("skirt", 2),
    "jacket": ("jacket", 1), "sea": ("sea", 1), "person": ("person", 1), "train": ("train", 1),
    "bus": ("bus", 1), "cat": ("cat", 1), "car": ("car", 1), "rose": ("rose", 1), "couch": ("couch", 1),
    "tv": ("television set", 1), "mouse": ("mouse", 4), "sports ball": ("ball", 1), "hot dog": ("hotdog", 2),
    "tie": ("necktie", 1), "wine glass": ("glass", 2), "cell phone": ("cellular telephone", 1),
    "bowl": ("bowl", 3), "bear": ("bear", 1), "bench": ("bench", 1), "boat": ("boat", 1), "glass": ("glass", 2),
    "soccer ball": ("soccer ball", 1), "house": ("house", 1), "guitar": ("guitar", 1), "horse": ("horse", 1),
    "store": ("shop", 1), "office": ("office", 1), "kitchen": ("kitchen", 1), "bedroom": ("bedroom", 1),
    "table": ("table", 2), "chair": ("chair", 1), "tree": ("tree", 1), "plane": ("airplane", 1),
}

# Said by people, found in no WordNet chain. Comma-separated; all are true of every photo with the label.
EXTRA = {
    "dog": "puppy,doggy,doggie,pup,pet,animal,dogs", "cat": "kitten,kitty,pet,animal,feline",
    "horse": "pony,stallion,animal,riding horse", "elephant": "animal,wildlife,wild animal,african animal",
    "giraffe": "animal,wildlife,wild animal,african animal", "person": "people,human,portrait,man or woman",
    "face of a person": "face,portrait,person,human face,people,smiling person,headshot",
    "house": "home,building,architecture,villa,cottage", "guitar": "musical instrument,acoustic guitar,music",
    "sea": "ocean,water,waves,seaside,beach,coast,seascape,blue water,landscape,nature,outdoors",
    "forest": "woods,trees,woodland,nature,landscape,greenery,green trees,jungle,outdoors",
    "glacier": "ice,snow,snowy mountain,iceberg,frozen landscape,landscape,nature,cold,outdoors,winter",
    "mountain": "mountains,hills,peak,landscape,nature,mountain range,scenery,outdoors",
    "street": "road,city street,town,city,urban,cars on a street,outdoors", "buildings": "building,architecture,city,skyscraper,tower,urban,houses,outdoors",
    "cloudy sky": "clouds,cloudy,sky,overcast,grey sky,cloudy weather,overcast sky,cloudy day,weather,outdoors",
    "foggy weather": "fog,foggy,mist,misty,haze,misty morning,foggy day,weather,outdoors", "rainy weather": "rain,rainy,raining,wet street,rainy day,umbrellas in the rain,storm,weather",
    "sunny sky": "sunny,sunny day,blue sky,sunshine,sun,clear sky,bright day,sunny weather,weather,summer,outdoors",
    "sunrise or sunset": "sunset,sunrise,dusk,dawn,evening sky,orange sky,sunset sky,golden hour,sun over the horizon,beach at sunset,sky,outdoors",
    "indoor room": "room,indoors,interior,inside a house,home interior,furniture",
    "bedroom": "bed,room,indoors,interior,furniture,bed in a room", "kitchen": "room,indoors,interior,cooking,stove,cabinets",
    "living room": "room,indoors,interior,sofa,couch,lounge,furniture", "office": "room,indoors,desk,computer,workplace,desks and computers",
    "store": "shop,supermarket,shopping,shelves,indoors", "industrial": "factory,machines,industry,plant,warehouse",
    "coast": "sea,beach,shore,ocean,seaside,coastline,landscape,nature,outdoors", "highway": "road,motorway,freeway,cars on a road,outdoors",
    "inside city": "city,street,town,urban,buildings,outdoors", "open country": "countryside,field,meadow,landscape,nature,grassland,fields,outdoors",
    "suburb": "house,houses,neighbourhood,home,lawn,street,outdoors", "tall building": "skyscraper,tower,building,high-rise,city,architecture,outdoors",
    "seashore": "beach,sea,ocean,coast,sand,seaside,waves,sandy beach,landscape,nature,outdoors", "lake shore": "lake,water,lakeside,nature,landscape,shore,outdoors",
    "alpine mountain": "mountain,mountains,snowy mountain,snow,alps,peak,landscape,nature,outdoors", "cliff": "rocks,rock,landscape,nature,outdoors,coast",
    "coral reef": "coral,underwater,fish,sea life,ocean", "brain coral": "coral,underwater,sea life", "dam": "water,river,concrete wall",
    "cliff dwelling": "ruins,ancient buildings,cave houses", "church vestment": "priest,robe,church", "altar": "church,church interior",
    "plate": "food,dish,meal,plate of food,dinner", "espresso": "coffee,cup of coffee,drink,cup", "ice cream": "dessert,food,sweet,ice cream cone",
    "pizza": "food,meal,cheese,fast food", "guacamole": "food,dip,mexican food", "mashed potato": "food,potatoes,meal", "meat loaf": "food,meat,meal",
    "potpie": "food,pie,meal", "pretzel": "food,snack,bread", "popsicle": "ice lolly,dessert,food,frozen dessert", "burrito": "food",
    "bell pepper": "pepper,vegetable,food,capsicum", "cauliflower": "vegetable,food", "mushroom": "fungus,toadstool,mushrooms,food",
    "banana": "fruit,food,bananas", "orange": "fruit,food,oranges", "lemon": "fruit,food,lemons,citrus", "pomegranate": "fruit,food", "acorn": "nut,oak,nature",
    "Chihuahua": "dog,puppy,small dog,pet", "German shepherd": "dog,puppy,pet", "Labrador retriever": "dog,puppy,pet,labrador", "Yorkshire terrier": "dog,puppy,small dog,pet,yorkie",
    "golden retriever": "dog,puppy,pet", "poodle": "dog,puppy,pet", "Egyptian cat": "cat,kitten,pet", "Persian cat": "cat,kitten,fluffy cat,pet,white cat", "tabby cat": "cat,kitten,pet,striped cat",
    "dalmatian": "dog,puppy,spotted dog,pet", "cougar": "puma,mountain lion,big cat,wild cat,wildlife", "lion": "big cat,wildlife,wild animal,lions", "leopard": "big cat,wildlife,wild animal",
    "garfield cartoon cat": "garfield,cartoon cat,drawing,comic", "snoopy cartoon dog": "snoopy,cartoon dog,drawing,comic", "brontosaurus": "dinosaur", "stegosaurus": "dinosaur",
    "airplane": "plane,aeroplane,jet,aircraft,airliner,flying", "car": "automobile,auto,vehicle,cars,side view of a car", "motorcycle": "motorbike,bike,vehicle", "bus": "coach,public transport,vehicle",
    "train": "railway,locomotive,railroad,public transport,vehicle", "bullet train": "train,railway,high-speed train", "freight car": "train,railway,train car", "sports car": "car,automobile,fast car,racing car",
    "convertible": "car,automobile,open car", "station wagon": "car,automobile", "limousine": "car,limo,long car", "school bus": "bus,yellow bus", "trolleybus": "bus,tram", "police van": "police car,police,van",
    "moving van": "truck,lorry,van", "go-kart": "kart,racing,kart racing", "gondola": "boat,venice,canal", "lifeboat": "boat,ship,rescue boat", "ferry": "ship,boat", "sailboat": "boat,sailing,yacht,sea", "sailing ship": "ship,boat,sailing,sails,sea",
    "lighthouse": "tower,coast,beacon", "steel arch bridge": "bridge,river", "suspension bridge": "bridge,river", "viaduct": "bridge,arches", "barn": "farm,farm building,red barn", "triumphal arch": "arch,monument,landmark",
    "obelisk": "monument,landmark,tower", "fountain": "water,park", "water tower": "tower", "christmas stocking": "christmas,decoration", "Christmas stocking": "christmas,decoration,christmas decoration",
    "soccer": "football,sport,sports,football match,soccer match,playing soccer,soccer player,playing football,game", "tennis": "sport,sports,tennis player,playing tennis,tennis court,racket,game",
    "baseball": "sport,sports,baseball player,playing baseball,baseball game,bat,game", "basketball": "sport,sports,ball,basketball player,playing basketball,basketball game,game",
    "volleyball": "sport,sports,ball,volleyball player,playing volleyball,volleyball match,game", "badminton": "sport,sports,badminton player,playing badminton,racket,game",
    "boxing": "sport,sports,boxer,boxers,fight,boxing match,boxing gloves", "cycling": "sport,sports,bicycle,bike,cyclist,riding a bike,bike race,bicycle race", "golf": "sport,sports,golfer,playing golf,golf course,golf club",
    "horse riding": "sport,sports,horse,riding a horse,equestrian,rider,jockey,show jumping", "skiing": "sport,sports,ski,skier,snow,winter,winter sport", "surfing": "sport,sports,surfer,surfboard,wave,waves,sea,ocean",
    "swimming": "sport,sports,swimmer,pool,swimming pool,water", "archery": "sport,sports,bow and arrow,archer,target", "track and field athletics": "sport,sports,running,runner,athlete,race,athletics,hurdles",
    "daisy": "flower,flowers,white flower,daisies,plant,blossom,garden", "dandelion": "flower,flowers,yellow flower,plant,dandelions", "rose": "flower,flowers,roses,plant,blossom,garden", "sunflower": "flower,flowers,yellow flower,sunflowers,plant",
    "tulip": "flower,flowers,tulips,plant,blossom,garden", "water lily": "flower,flowers,pond,plant", "lotus": "flower,flowers,plant,pink flower", "bonsai tree": "bonsai,tree,small tree,plant", "joshua tree": "tree,desert,plant",
    "dress": "clothes,clothing,gown", "hat": "clothes,clothing,cap", "jacket": "clothes,clothing,coat", "long sleeve shirt": "clothes,clothing,shirt,sweater,longsleeve", "pants": "clothes,clothing,trousers,jeans",
    "shirt": "clothes,clothing", "shoes": "shoe,footwear,sneakers,clothes", "shorts": "clothes,clothing,short pants", "skirt": "clothes,clothing", "t-shirt": "clothes,clothing,tee shirt,tshirt,shirt",
    "carrots": "carrot,vegetable", "satsumas": "satsuma,mandarin,fruit,orange fruit", "milk": "milk carton,drink,carton,dairy", "juice": "juice carton,drink,orange juice,carton", "oat milk": "milk carton,drink,carton", "soy milk": "milk carton,drink,carton",
    "oatghurt": "yoghurt,carton", "soyghurt": "yoghurt,carton", "sour cream": "dairy,carton", "sour milk": "milk,dairy,carton", "yoghurt": "yogurt,dairy,carton", "pepper": "bell pepper,vegetable,capsicum", "red beet": "beetroot,vegetable", "aubergine": "eggplant,vegetable",
    "computer keyboard": "keyboard,computer", "laptop": "computer,notebook computer", "cellphone": "phone,mobile phone,telephone", "iPod music player": "ipod,mp3 player,music player", "remote control": "tv remote", "cash machine": "atm",
    "wristwatch": "watch,clock", "sunglasses": "glasses,shades,eyewear", "bow tie": "tie,man in a suit", "military uniform": "soldier,uniform,army", "academic gown": "graduation,graduate,student", "swimming trunks": "swimwear,beach,shorts",
    "bikini": "swimwear,woman,beach,swimsuit", "miniskirt": "skirt,woman", "kimono": "japanese dress,woman,robe", "teddy bear": "toy,stuffed animal,plush toy", "soccer ball": "ball,football", "rugby ball": "ball,rugby", "king penguin": "penguin,penguins,bird",
    "African elephant": "elephant,elephants,wildlife,wild animal", "American alligator": "alligator,crocodile,reptile", "black stork": "stork,bird", "goose": "bird,geese", "albatross": "bird,seabird,gull", "brown bear": "bear,bears,wildlife,wild animal", "ox": "cow,bull,cattle",
    "pig": "hog,farm animal,piglet", "Arabian camel": "camel,desert", "monarch butterfly": "butterfly", "sulphur butterfly": "butterfly", "goldfish": "fish,fishes,aquarium", "jellyfish": "sea animal,underwater", "spider web": "web,cobweb,spider", "panda": "bear,bears",
    "dugong": "sea cow,underwater,sea animal", "tarantula": "spider", "black widow spider": "spider", "computer": "pc", "couch": "sofa", "sofa": "couch", "tv": "television", "bicycle": "bike,cycle", "potted plant": "plant", "dining table": "table,furniture", "desk": "table,office",
    "bed": "bedroom,furniture", "refrigerator": "fridge,kitchen", "bathtub": "bath,bathroom,tub", "butcher shop": "shop,store,meat,butcher", "candy store": "shop,store,sweets,candy", "barbershop": "barber,hairdresser,shop", "pole": "post", "snorkel": "diving,underwater,diver,snorkeling",
    "torch": "fire,flame", "candle": "flame,candlelight,candles", "missile": "rocket", "tractor": "farm,farm vehicle,field", "lawn mower": "mower,grass", "rickshaw": "cart,street", "comic book": "comics,book,drawing", "umbrella": "umbrellas,rain", "stop sign": "sign,traffic sign,road sign",
    "elephants": "elephant", "scoreboard": "sports stadium,display", "pagoda": "temple,tower,asian temple", "minaret": "mosque,tower", "pyramid": "egypt,pyramids", "buddha statue": "buddha,statue,sculpture", "man": "person,people,guy", "woman": "person,people,lady", "boy": "person,child,kid,people", "girl": "person,child,kid,people",
    "child": "kid,person", "people": "person,group of people,crowd", "players": "player,people", "player": "person,athlete", "snow": "winter,snowy", "beach": "sea,sand,seaside,outdoors", "ocean": "sea,water", "skateboard": "skateboarder,skateboarding,skating", "surfboard": "surfing,surfer", "kite": "flying a kite", "toilet": "bathroom", "cake": "food,dessert,birthday cake", "sandwich": "food,meal", "zebra": "animal,wildlife,zebras", "cow": "animal,cattle,cows,farm animal", "sheep": "animal,farm animal,flock of sheep", "bird": "animal,birds", "bear": "animal,wildlife", "truck": "lorry,vehicle", "plane": "airplane,aircraft,jet",
    "food": "meal,dish", "vegetables": "food,vegetable,veggies", "fruit": "food", "baby": "child,infant,person", "skis": "skiing,skier,snow", "snowboard": "snowboarding,snow", "clock": "clock tower,time", "bathroom": "toilet,sink,indoors", "sink": "bathroom,kitchen", "wave": "sea,water,surfing", "field": "grass,outdoors",
}

# Words looked for in human captions; what is found is true of the photo, with its hypernyms and EXTRA.
CAPTION_NOUNS = set("""dog cat horse elephant giraffe zebra cow sheep bird bear teddy person man woman boy girl child people baby
player players train bus car truck motorcycle bicycle boat airplane plane kite skateboard surfboard skis snowboard tennis baseball
soccer basketball volleyball umbrella pizza sandwich cake banana orange apple broccoli carrot donut bowl plate table chair couch sofa
bed bedroom kitchen bathroom toilet sink laptop keyboard computer phone tv refrigerator oven clock vase flower tree beach ocean
mountain snow street building grass field sign bench food vegetables fruit wine bottle cup knife scissors suitcase backpack tie hat
window mirror desk bridge river lake water rain sunset sky park bike ship""".split())


def singular(word: str) -> str:
    for suffix, to in (("sses", "ss"), ("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("ves", "f"), ("s", "")):
        if word.endswith(suffix) and len(word) > len(suffix) + 2 and not word.endswith(("ss", "us", "skis")):
            return word[: -len(suffix)] + to
    return word


class Concepts:
    def __init__(self, wordnet: WordNet):
        self.wordnet = wordnet
        self.cache: dict[tuple[str, str | None], tuple[list[str], list[str]]] = {}

    def of(self, label: str, wnid: str | None = None) -> tuple[list[str], list[str]]:
        """(names, hypernyms) of a label, lower case, most usual first, without duplicates."""
        key = (label, wnid)
        if key in self.cache:
            return self.cache[key]
        if wnid:
            offset = int(wnid[1:])  # ImageNet's ids are WordNet 3.0 noun offsets
        else:
            word, sense = SENSES.get(label, (label, 1))
            offset = self.sense(word, sense)
        names = [label.lower()]
        above: list[str] = []
        extra = [e.strip() for e in EXTRA.get(label, "").split(",") if e.strip()]
        if offset:
            names += self.wordnet.names(offset)
            above = self.wordnet.hypernym_names(offset)
        names = list(dict.fromkeys(names))
        above = [h for h in dict.fromkeys(extra + above) if h not in names]
        self.cache[key] = (names, above)
        return names, above

    def sense(self, word: str, which: int | str) -> int | None:
        if isinstance(which, int):
            return self.wordnet.first_sense(word, which)
        for offset in self.wordnet.index.get(word.lower().replace(" ", "_"), []):
            if which in self.wordnet.hypernym_names(offset):
                return offset
        return None

    def in_caption(self, text: str) -> list[str]:
        words = [w for w in re.findall(r"[a-z]+", text.lower())]
        found = [w if w in CAPTION_NOUNS else singular(w) for w in words]
        alias = {"men": "man", "women": "woman", "children": "child", "kids": "child", "skiing": "skis", "surfer": "surfboard",
                 "skateboarder": "skateboard", "guy": "man", "lady": "woman", "motorbike": "motorcycle", "cattle": "cow", "puppy": "dog", "kitten": "cat"}
        found += [alias[w] for w in words if w in alias]
        return list(dict.fromkeys(w for w in found if w in CAPTION_NOUNS))
